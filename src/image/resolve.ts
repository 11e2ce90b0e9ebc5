import type { Host } from '../host/host.ts';
import { additionalStores, findLayer } from './additional.ts';
import { isHex, parseDigest } from './digest.ts';
import { ImageError } from './error.ts';
import { imagePath, layerDirectory, listImages, readImage } from './images.ts';
import { listNames, readName } from './names.ts';
import { candidates, parseReference, type Reference } from './reference.ts';
import { aliasesOf } from './registry/quick-alias.ts';
import type { ImageRecord } from './types.ts';

export interface FoundImage {
  readonly record: ImageRecord;
  /** Where record, documents and names are: the own store, or an additional one. */
  readonly store: string;
  /** In full; absent: it has none. */
  readonly name?: string;
  /** Directories of the unpacked layers, top first. */
  readonly layers: readonly string[];
}

/**
 * The image that a name or id means: two small files are read when the name is written in full or belongs to localhost. An image
 * of which a part is missing counts as absent: loading it again repairs it. Additional stores are looked at for what the own one lacks.
 * Throws ImageError for a name that means several.
 */
export function findImage(host: Host, store: string, reference: string): FoundImage | undefined {
  const own = findIn(host, store, reference, store);
  if (own !== undefined) return own;
  for (const other of additionalStores(host)) {
    const found = findIn(host, other, reference, store);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What was found is still where it was. */
export function isThere(host: Host, { record, store, layers }: FoundImage): boolean {
  return host.lstat(imagePath(store, record.id)) !== undefined && layers.every(path => host.lstat(path) !== undefined);
}

/** The image as one store has it; its layers may be in others, too. */
function findIn(host: Host, store: string, reference: string, own: string): FoundImage | undefined {
  const { id, name } = lookUp(host, store, reference) ?? {};
  const record = id === undefined ? undefined : readImage(host, store, id);
  if (record === undefined) return undefined;
  const layers: string[] = [];
  for (const diffId of record.layers) {
    let directory: string | undefined = layerDirectory(store, diffId);
    if (host.lstat(`${directory}/fs`) === undefined) directory = findLayer(host, own, diffId)?.directory;
    if (directory === undefined) return undefined;
    layers.push(`${directory}/fs`);
  }
  return { record, store, layers: layers.reverse(), ...(name === undefined ? {} : { name }) };
}

/** Image id of a name, an id, or the beginning of an id, in this store alone. */
export function findImageId(host: Host, store: string, text: string): string | undefined {
  return lookUp(host, store, text)?.id;
}

interface Meant {
  readonly id: string;
  readonly name?: string;
}

function lookUp(host: Host, store: string, text: string): Meant | undefined {
  const parsed = parseReference(text);
  if (parsed !== undefined) {
    const [first = '', ...others] = candidates(parsed);
    const names = (): string[] => [...aliasesOf(host, parsed), ...others];
    for (const name of readName(host, store, first) === undefined ? names() : [first]) {
      const id = readName(host, store, name);
      if (id !== undefined) return { id, name };
    }
  }
  const id = byId(host, store, text);
  if (id !== undefined) return { id };
  return parsed === undefined ? undefined : bySearch(host, store, parsed, text);
}

function byId(host: Host, store: string, text: string): string | undefined {
  const digits = text.startsWith('sha256:') ? text.slice(7) : text;
  if (digits.length < 3 || digits.length > 64 || !isHex(digits)) return undefined;
  if (digits.length === 64) return host.lstat(`${store}/images/${digits}.json`) === undefined ? undefined : digits;
  if (host.lstat(`${store}/images`) === undefined) return undefined;
  const ids = host
    .list(`${store}/images`)
    .map(entry => entry.name.slice(0, -'.json'.length))
    .filter(id => id.length === 64 && id.startsWith(digits));
  if (ids.length > 1)
    throw new ImageError(`${text}: several images begin so: ${ids.map(id => id.slice(0, 16)).join(', ')}`);
  return ids[0];
}

/** A short name of another registry, or a manifest's digest under one of the image's names. */
function bySearch(host: Host, store: string, wanted: Reference, text: string): Meant | undefined {
  const full = new Set(candidates({ ...wanted, tag: 'latest' }).map(repository));
  const names = listNames(host, store).filter(({ reference }) => {
    const name = repository(reference);
    const same = full.has(name) || (wanted.registry === '' && name.endsWith(`/${wanted.path}`));
    return same && (wanted.digest !== undefined || reference.endsWith(`:${wanted.tag}`));
  });
  let ids = [...new Set(names.map(name => name.id))];
  if (wanted.digest !== undefined) {
    const digest = parseDigest(wanted.digest);
    const matching = new Set(
      listImages(host, store)
        .filter(record => record.manifest === digest)
        .map(record => record.id),
    );
    ids = ids.filter(id => matching.has(id));
  }
  if (ids.length > 1) {
    throw new ImageError(
      `${text}: the short name means several images: ${names.map(name => name.reference).join(', ')}; write one in full`,
    );
  }
  const [id] = ids;
  const found = names.find(name => name.id === id);
  return found === undefined ? undefined : { id: found.id, name: found.reference };
}

/** In full, as the peer tells the image of a container: of who was named by the id, the first name. */
export function fullNameOf(host: Host, { name, record, store }: FoundImage): string | undefined {
  return name ?? listNames(host, store).find(one => one.id === record.id)?.reference;
}

/** A full reference without tag or digest. */
function repository(reference: string): string {
  const at = reference.indexOf('@');
  if (at >= 0) return reference.slice(0, at);
  const colon = reference.lastIndexOf(':');
  return colon > reference.lastIndexOf('/') ? reference.slice(0, colon) : reference;
}
