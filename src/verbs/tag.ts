import { TAG } from '../command/options-image.ts';
import type { Host } from '../host/host.ts';
import { ImageError } from '../image/error.ts';
import { copyDocuments } from '../image/adopt.ts';
import { whileKept } from '../image/lock.ts';
import { writeName } from '../image/names.ts';
import { formatReference, localReference, parseReference } from '../image/reference.ts';
import { findImage } from '../image/resolve.ts';
import { openStore } from '../image/store.ts';
import { commandLine } from './command-line.ts';

/** `berth tag`: further names for an image. All of them are checked before one is given. */
export function main(host: Host): number {
  const command = commandLine(host, TAG);
  if (typeof command === 'number') return command;
  const [wanted = '', ...words] = command.operands;
  const store = openStore(host);
  const found = findImage(host, store, wanted);
  if (found === undefined) throw new ImageError(`${wanted}: no such image in ${store}`);
  const names = words.map(word => {
    const parsed = parseReference(word);
    if (parsed === undefined || parsed.digest !== undefined) {
      throw new ImageError(`${word}: not a name for an image; write NAME or NAME:TAG in lower case`);
    }
    return formatReference(localReference(parsed));
  });
  const { id } = found.record;
  whileKept(host, store, id, () => {
    if (found.store !== store) copyDocuments(host, store, found);
    if (findImage(host, store, id) === undefined) throw new ImageError(`${wanted}: it was removed meanwhile`);
    for (const name of names) writeName(host, store, name, id);
  });
  return 0;
}
