import type { WholeFile } from '../host/beside.ts';
import type { Host } from '../host/host.ts';
import { isHex } from './digest.ts';
import { ImageError } from './error.ts';

/** names/ESCAPED holds one line, the image id. The file name is the full reference with `%` and `/` as %25 and %2F. */
export function namePath(store: string, reference: string): string {
  return `${store}/names/${reference.replaceAll('%', '%25').replaceAll('/', '%2F')}`;
}

/** Image id of a full reference; undefined when there is none, or when the file is broken. */
export function readName(host: Host, store: string, reference: string): string | undefined {
  const path = namePath(store, reference);
  // A name too long for a file cannot have been given.
  if (path.length - store.length - '/names/'.length > 255) return undefined;
  const id = host.readFileIfExists(path, 4096)?.trimEnd();
  return id?.length === 64 && isHex(id) ? id : undefined;
}

export function writeName(host: Host, store: string, reference: string, id: string): void {
  const { path, data } = nameFile(store, reference, id);
  host.writeFileAtomic(path, data, 0o600);
}

export function nameFile(store: string, reference: string, id: string): WholeFile {
  const path = namePath(store, reference);
  if (path.length - store.length - '/names/'.length > 255) throw new ImageError(`the name is too long: ${reference}`);
  return { path, data: `${id}\n` };
}

/** False when it was not there. */
export function removeName(host: Host, store: string, reference: string): boolean {
  return host.unlink(namePath(store, reference));
}

/** All names and their image ids, in byte order of the names. */
export function listNames(host: Host, store: string): { reference: string; id: string }[] {
  if (host.stat(`${store}/names`) === undefined) return [];
  const found: { reference: string; id: string }[] = [];
  for (const entry of host.list(`${store}/names`)) {
    // A leading dot is a temporary file of a write that was cut off.
    if (entry.name.startsWith('.')) continue;
    const reference = entry.name.replaceAll('%2F', '/').replaceAll('%25', '%');
    const id = readName(host, store, reference);
    if (id !== undefined) found.push({ reference, id });
  }
  return found.sort((a, b) => (a.reference < b.reference ? -1 : 1));
}
