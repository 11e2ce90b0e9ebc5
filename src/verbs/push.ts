import { PUSH } from '../command/options-image.ts';
import { globalValue, isSet, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { withWork } from '../image/archive/ingest.ts';
import { ImageError } from '../image/error.ts';
import { listNames } from '../image/names.ts';
import { candidates, formatReference, parseReference } from '../image/reference.ts';
import { openRegistry } from '../image/registry/open.ts';
import { registryOptions } from '../image/registry/options.ts';
import { findImage } from '../image/resolve.ts';
import { pushImage } from '../image/send/push.ts';
import { openStore } from '../image/store.ts';
import { askCreds } from './ask-creds.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';

/** `berth push`: sends an image to a registry, under its own name or another. Prints nothing; --digestfile gets the digest there. */
export async function main(host: Host): Promise<number> {
  const parsed = commandLine(host, PUSH);
  if (typeof parsed === 'number') return parsed;
  const command = await askCreds(host, parsed);
  const [name = '', destination] = command.operands;
  const store = openStore(host, globalValue(command, 'root'));
  const found = findImage(host, store, name);
  if (found === undefined) throw new ImageError(`${name}: no such image in ${store}`);
  const target = destination === undefined ? ownName(host, found.store, name, found.record.id) : fullName(destination);
  const note = (line: string): void => {
    if (!isSet(command, 'quiet')) say(host, line);
  };
  const registry = openRegistry(host, target, { ...registryOptions(command), note, waiting: note });
  try {
    const siblings = siblingsOf(host, found.store, found.record.id, target);
    const digest = await withWork(host, store, work =>
      pushImage(host, store, work, found.record, registry, siblings, note),
    );
    const file = lastValue(command, 'digestfile');
    if (file !== undefined) host.writeFileAtomic(file, digest, 0o644);
  } finally {
    registry.close();
  }
  return 0;
}

/** Repositories of the target's registry that the image has names in. */
function siblingsOf(host: Host, store: string, id: string, target: string): string[] {
  const there = parseReference(target);
  const own = listNames(host, store).flatMap(name => (name.id === id ? (parseReference(name.reference) ?? []) : []));
  const paths = own.filter(one => one.registry === there?.registry && one.path !== there.path).map(one => one.path);
  return [...new Set(paths)];
}

function fullName(text: string): string {
  const parsed = parseReference(text.replace(/^docker:\/\//, ''));
  if (parsed === undefined || parsed.registry === '' || parsed.digest !== undefined)
    throw new ImageError(`${text}: not where an image can be sent; write REGISTRY/PATH:TAG`);
  return formatReference(parsed);
}

/** The full name that the word means; one of localhost is no registry's. */
function ownName(host: Host, store: string, word: string, id: string): string {
  const parsed = parseReference(word);
  const full = parsed === undefined ? [] : candidates(parsed);
  const names = listNames(host, store).filter(one => one.id === id && full.includes(one.reference));
  const name = names.find(one => !one.reference.startsWith('localhost/'))?.reference;
  if (name === undefined) throw new ImageError(`${word}: say where to: berth push ${word} REGISTRY/PATH:TAG`);
  return name;
}
