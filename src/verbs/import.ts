import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import { IMPORT } from '../command/options-image.ts';
import { allValues, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { settle, withWork, writeNamed } from '../image/archive/ingest.ts';
import { runLayer } from '../image/archive/program.ts';
import { open } from '../image/archive/spool.ts';
import { configOfChanges } from '../image/changes.ts';
import { parseImageConfig } from '../image/config.ts';
import { ImageError } from '../image/error.ts';
import { checkArchiveTrust } from '../image/registry/trust-policy.ts';
import { openStore } from '../image/store.ts';
import type { Digest } from '../image/types.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';
import { fullName } from './new-name.ts';

/** `berth import`: a root file system archive becomes an image with one layer. Prints its id. */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, IMPORT);
  if (typeof command === 'number') return command;
  const [input = '', wanted] = command.operands;
  const reference = wanted === undefined ? undefined : fullName(wanted);
  const config = configOfChanges(allValues(command, 'change'));
  if (/^https?:/.test(input)) throw new ImageError(`${input}: fetch it first: curl -L ${input} | berth import -`);
  const name = input === '-' ? 'standard input' : input;
  const fd = input === '-' ? 0 : open(input, name);
  checkArchiveTrust(host, 'tarball', input === '-' ? undefined : (host.realpath(input) ?? input));
  const store = openStore(host);
  const id = await withWork(host, store, async work => {
    const target = `${work}/layer`;
    const { diffId, warnings } = await unpack(fd, target, name);
    for (const line of warnings) say(host, `warning: ${line}`);
    // As in load: a removal beside us may take an equal layer away before our record says that it is used.
    await settle(host, store, new Map([[diffId, target]]));
    const configuration = configurationOf(host, command, diffId, config);
    const image = createHash('sha256').update(Buffer.from(configuration, 'latin1')).digest('hex');
    const names = reference === undefined ? [] : [reference];
    if (!(await writeNamed(host, store, { id: image, configuration, facts: parseImageConfig(configuration), names })))
      throw new ImageError(`${name}: its layer was removed beside us; try again`);
    return image;
  });
  if (fd !== 0) closeSync(fd);
  host.write(1, isSet(command, 'quiet') ? `${id}\n` : `sha256:${id}\n`);
  return 0;
}

async function unpack(fd: number, target: string, name: string): Promise<{ diffId: Digest; warnings: string[] }> {
  try {
    return JSON.parse(await runLayer(['apply', `target=${target}`], { stdin: fd })) as {
      diffId: Digest;
      warnings: string[];
    };
  } catch (error) {
    throw error instanceof ImageError ? new ImageError(`${name}: ${error.message}`) : error;
  }
}

function configurationOf(host: Host, command: Command, diffId: Digest, config: object): string {
  const created = new Date(Math.floor(host.now()) * 1000).toISOString().replace('.000', '');
  const variant = lastValue(command, 'variant');
  return JSON.stringify({
    created,
    architecture: lastValue(command, 'arch') ?? ARCHITECTURES[process.arch] ?? process.arch,
    ...(variant === undefined ? {} : { variant }),
    os: lastValue(command, 'os') ?? 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, created_by: 'berth import', comment: lastValue(command, 'message') ?? '' }],
  });
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
