import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseJson } from '../base/json.ts';
import { COMMIT } from '../command/options-seeing.ts';
import { allValues, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { settle, withWork, writeNamed } from '../image/archive/ingest.ts';
import { joinPrograms, programPath } from '../image/archive/program.ts';
import { configOfChanges, type OciConfig } from '../image/changes.ts';
import { parseImageConfig } from '../image/config.ts';
import { ImageError } from '../image/error.ts';
import { readImage } from '../image/images.ts';
import { configurationOf } from '../image/send/save.ts';
import { openStore } from '../image/store.ts';
import type { Digest } from '../image/types.ts';
import { isAlive, requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { outerOf } from '../run/mapped-layers.ts';
import type { ContainerState } from '../run/state.ts';
import { commandLine } from './command-line.ts';
import { insideMap } from './disk-bytes.ts';
import { say } from './edge.ts';
import { fullName } from './new-name.ts';
import { whilePaused } from './paused.ts';
import { tellOf } from './tell.ts';

/** `berth commit`: the writable layer of a container becomes one more layer of an image. Prints its id. */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, COMMIT);
  if (typeof command === 'number') return command;
  const [word = '', wanted] = command.operands;
  const reference = wanted === undefined ? undefined : fullName(wanted);
  const format = lastValue(command, 'format') ?? 'oci';
  if (format !== 'oci' && format !== 'docker') throw new Failure(125, `--format ${format}: write oci or docker`);
  const { state } = requireContainer(host, word);
  const store = openStore(host);
  const image = state.imageId === '' ? undefined : readImage(host, store, state.imageId);
  if (image === undefined || state.layer === '')
    throw new Failure(125, `${word}: has no layer of its own above an image of the store`);
  const base = parseJson(configurationOf(host, store, image)) as Configuration;
  configOfChanges(allValues(command, 'change'), base.config ?? {});
  const id = await withWork(host, store, async work => {
    const diffId = await takeLayer(host, command, state, `${work}/layer`);
    await settle(host, store, new Map([[diffId, `${work}/layer`]]));
    const configuration = JSON.stringify(newConfiguration(host, command, base, diffId));
    const made = createHash('sha256').update(Buffer.from(configuration, 'latin1')).digest('hex');
    const names = reference === undefined ? [] : [reference];
    if (!(await writeNamed(host, store, { id: made, configuration, facts: parseImageConfig(configuration), names })))
      throw new ImageError(`${word}: a layer was removed beside us; try again`);
    return made;
  });
  const file = lastValue(command, 'iidfile');
  if (file !== undefined) writeFileSync(Buffer.from(file, 'latin1'), `sha256:${id}`);
  tellOf(host, 'commit', state, `is an image now, ${id.slice(0, 12)}`, { BERTH_IMAGE: reference ?? id });
  host.write(1, `${id}\n`);
  return 0;
}

/** Reads it with the ids of the store, and unpacks it as any layer. `--pause`: nothing changes meanwhile. */
async function takeLayer(host: Host, command: Command, state: ContainerState, target: string): Promise<Digest> {
  const read = readerOf(host, state);
  const copy = (): Promise<string> => joinPrograms(read, [programPath(), 'layer', 'apply', `target=${target}`]);
  const pauses = isSet(command, 'pause') && isAlive(host, state);
  const answer = await (pauses ? whilePaused(host, state, copy) : copy());
  const { diffId, warnings } = JSON.parse(answer) as { diffId: Digest; warnings: string[] };
  for (const line of warnings) say(host, `warning: ${line}`);
  return diffId;
}

/** With the ids that the files have in the container. */
function readerOf(host: Host, state: ContainerState): string[] {
  const source = `source=${state.layer}/upper`;
  if (state.uidMap.length === 0 || outerOf(host, state) === undefined)
    return [...insideMap(host), programPath(), 'layer', 'export-tree', source, 'living=1'];
  const text = (map: ContainerState['uidMap']): string => map.map(line => line.join(':')).join(',');
  const maps = [`uid=${text(state.uidMap)}`, `gid=${text(state.gidMap)}`];
  return [programPath(), 'layer', 'read-mapped', source, ...maps, 'living=1'];
}

/** config.md of the image specification, as far as it is changed here. */
interface Configuration {
  readonly config?: OciConfig;
  readonly rootfs?: { readonly diff_ids?: readonly string[] };
  readonly history?: readonly object[];
}

function newConfiguration(host: Host, command: Command, base: Configuration, diffId: Digest): object {
  const created = new Date(Math.floor(host.now()) * 1000).toISOString().replace('.000', '');
  const author = lastValue(command, 'author');
  const comment = lastValue(command, 'message');
  const config: OciConfig = configOfChanges(allValues(command, 'change'), base.config ?? {});
  const step = {
    created,
    created_by: 'berth commit',
    ...(author === undefined ? {} : { author }),
    ...(comment === undefined ? {} : { comment }),
  };
  return {
    ...base,
    created,
    ...(author === undefined ? {} : { author }),
    config,
    rootfs: { type: 'layers', diff_ids: [...(base.rootfs?.diff_ids ?? []), diffId] },
    history: [...(base.history ?? []), step],
  };
}
