import { createWriteStream, existsSync, unlinkSync } from 'node:fs';
import { once } from 'node:events';
import { SAVE } from '../command/options-image.ts';
import { globalValue, isSet, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { withWork } from '../image/archive/ingest.ts';
import { ImageError } from '../image/error.ts';
import { listNames } from '../image/names.ts';
import { candidates, parseReference } from '../image/reference.ts';
import { findImage } from '../image/resolve.ts';
import { saveDocker, saveOci, type SavedImage } from '../image/send/save.ts';
import { directoryTarget, tarTarget, type Target } from '../image/send/target.ts';
import { openStore } from '../image/store.ts';
import { commandLine } from './command-line.ts';

const FORMATS = ['docker-archive', 'oci-archive', 'oci-dir'];

/** `berth save`: images as an archive or an OCI layout, under the ids they have. */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, SAVE);
  if (typeof command === 'number') return command;
  const format = lastValue(command, 'format') ?? 'docker-archive';
  const output = lastValue(command, 'output') ?? '-';
  if (!FORMATS.includes(format)) throw new ImageError(`--format ${format}: not one of ${FORMATS.join(', ')}`);
  if (output === '-' && host.isTerminal(1))
    throw new ImageError('standard output is a terminal; name a file: berth save -o FILE IMAGE');
  if (format === 'oci-dir' && output === '-') throw new ImageError('--format oci-dir: name a directory with --output');
  if (output !== '-' && existsSync(Buffer.from(output, 'latin1')))
    throw new ImageError(`${output}: it exists; remove it, or choose another name`);
  const store = openStore(host, globalValue(command, 'root'));
  const images = chosen(host, store, command.operands);
  await withWork(host, store, async work => {
    const { target, finish, undo } = openTarget(output, format);
    try {
      if (format === 'docker-archive') await saveDocker(host, store, work, images, target);
      else await saveOci(host, store, work, images, target, !isSet(command, 'uncompressed'));
      await finish();
    } catch (error) {
      undo();
      throw error;
    }
  });
  return 0;
}

/** A name means that name alone; an id brings all names of the image. The same image twice is written once. */
function chosen(host: Host, store: string, words: readonly string[]): SavedImage[] {
  const images = new Map<string, { record: SavedImage['record']; names: Set<string> }>();
  for (const word of words) {
    const found = findImage(host, store, word);
    if (found === undefined) throw new ImageError(`${word}: no such image in ${store}`);
    const { record } = found;
    const names = listNames(host, found.store).filter(name => name.id === record.id);
    const parsed = parseReference(word);
    const full = parsed === undefined ? [] : candidates(parsed);
    const meant = names.filter(
      ({ reference }) =>
        full.includes(reference) || (parsed?.registry === '' && reference.endsWith(`/${parsed.path}:${parsed.tag}`)),
    );
    const entry = images.get(record.id) ?? { record, names: new Set<string>() };
    for (const { reference } of meant) entry.names.add(reference);
    images.set(record.id, entry);
  }
  return [...images.values()].map(({ record, names }) => ({ record, names: [...names] }));
}

interface Opened {
  readonly target: Target;
  readonly finish: () => Promise<void>;
  readonly undo: () => void;
}

function openTarget(output: string, format: string): Opened {
  const nothing = (): Promise<void> => Promise.resolve();
  if (format === 'oci-dir') {
    return { target: directoryTarget(output), finish: nothing, undo: () => undefined };
  }
  if (output === '-') return { target: tarTarget(process.stdout), finish: nothing, undo: () => undefined };
  const name = Buffer.from(output, 'latin1');
  const out = createWriteStream(name, { flags: 'wx', mode: 0o644 });
  let failure: Error | undefined;
  out.on('error', error => (failure = error));
  const finish = async (): Promise<void> => {
    out.end();
    if (!out.closed) await once(out, 'close');
    if (failure !== undefined) throw failure;
  };
  const undo = (): void => {
    out.destroy();
    if (existsSync(name)) unlinkSync(name);
  };
  return { target: tarTarget(out), finish, undo };
}
