import { createHash } from 'node:crypto';
import type { Host } from '../host/host.ts';
import { findLayer } from './additional.ts';
import { runLayer } from './archive/program.ts';
import { ASIDE } from './aside.ts';
import { digestAlgorithm, digestHex, digestName } from './digest.ts';
import { ImageError } from './error.ts';
import { layerDirectory } from './images.ts';
import type { Digest, ImageRecord } from './types.ts';

/** What is wrong with a part of the store; `layer` when fetching that layer again mends it. */
export interface Fault {
  readonly line: string;
  readonly layer?: Digest;
  /** The image's documents are wrong: its record is to be made anew. */
  readonly image?: string;
}

/** Compares the documents of an image with their digests. */
export function verifyDocuments(host: Host, store: string, image: ImageRecord): Fault[] {
  const faults: Fault[] = [];
  const label = `image ${image.id.slice(0, 12)}`;
  const check = (what: string, algorithm: 'sha256' | 'sha512', hex: string): void => {
    const bytes = host.readFileIfExists(`${store}/blobs/${algorithm}/${hex}`);
    if (bytes === undefined) faults.push({ line: `${label}: its ${what} is missing`, image: image.id });
    else if (createHash(algorithm).update(Buffer.from(bytes, 'latin1')).digest('hex') !== hex)
      faults.push({ line: `${label}: its ${what} is not what its digest says`, image: image.id });
  };
  check('configuration', 'sha256', image.id);
  if (image.manifest !== undefined) check('manifest', digestAlgorithm(image.manifest), digestHex(image.manifest));
  return faults;
}

/** How far a layer was verified: `whole` means that its tar stream, put together again, has its digest. */
export type LayerFinding = 'whole' | 'unverifiable' | Fault;

/** With `quick`, only whether the layer is there. */
export async function verifyLayer(host: Host, store: string, diffId: Digest, quick: boolean): Promise<LayerFinding> {
  const directory = findLayer(host, store, diffId)?.directory;
  const label = `layer ${diffId.slice(0, 19)}`;
  if (directory === undefined || host.lstat(`${directory}/fs`) === undefined)
    return { line: `${label}: missing`, layer: diffId };
  if (quick) return 'whole';
  if (host.lstat(`${directory}/recipe`) === undefined) return 'unverifiable';
  try {
    const wide = digestAlgorithm(diffId) === 'sha512' ? ['sha512=1'] : [];
    const found = (await runLayer(['verify', `source=${directory}`, ...wide])).trim();
    return found === diffId ? 'whole' : { line: `${label}: its files are not what its digest says`, layer: diffId };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { line: `${label}: ${error.message}`, layer: diffId };
  }
}

/** Takes a broken layer out of the way: the image counts as absent until it is fetched again. */
export function setAside(host: Host, store: string, layer: Digest, work: string): void {
  move(host, store, layerDirectory(store, layer), asidePath(layer, work));
}

/** Undoes that for all of `work` in whose place nothing else has come. */
export function putBack(host: Host, store: string, work: string): void {
  // What else is in tmp/ may be a file: a mount point of a start.
  if (host.lstat(work)?.kind !== 'directory') return;
  for (const { name } of host.list(work)) {
    const place = `${store}/layers/${name.slice(ASIDE.length)}`;
    if (name.startsWith(ASIDE) && host.lstat(place) === undefined) move(host, store, `${work}/${name}`, place);
  }
}

function asidePath(layer: Digest, work: string): string {
  return `${work}/${ASIDE}${digestName(layer)}`;
}

function move(host: Host, store: string, from: string, to: string): void {
  if (host.lstat(from) === undefined) return;
  host.rename(from, to);
  host.sync(`${store}/layers`);
}
