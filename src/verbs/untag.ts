import { UNTAG } from '../command/options-image.ts';
import type { Host } from '../host/host.ts';
import { ImageError } from '../image/error.ts';
import { listNames, readName, removeName } from '../image/names.ts';
import { removePulled } from '../image/pulled.ts';
import { candidates, parseReference } from '../image/reference.ts';
import { findImage } from '../image/resolve.ts';
import { openStore } from '../image/store.ts';
import { commandLine } from './command-line.ts';

/** `berth untag`: an image may be without a name, until `image prune`. All names are looked for before one is taken away. */
export function main(host: Host): number {
  const command = commandLine(host, UNTAG);
  if (typeof command === 'number') return command;
  const [wanted = '', ...words] = command.operands;
  const store = openStore(host);
  const found = findImage(host, store, wanted);
  if (found === undefined) throw new ImageError(`${wanted}: no such image in ${store}`);
  const { id } = found.record;
  const names =
    words.length === 0
      ? listNames(host, store).flatMap(name => (name.id === id ? [name.reference] : []))
      : words.map(word => {
          const parsed = parseReference(word);
          const name = parsed && candidates(parsed).find(one => readName(host, store, one) === id);
          if (name === undefined) throw new ImageError(`${word}: not a name of ${wanted}`);
          return name;
        });
  for (const name of names) {
    removeName(host, store, name);
    removePulled(host, store, name);
  }
  return 0;
}
