import type { Host } from '../host/host.ts';
import { digestHex, digestName, isHex, parseDigest } from './digest.ts';
import { listImages } from './images.ts';
import { listNames } from './names.ts';
import { readPulled } from './pulled.ts';
import type { Digest, ImageRecord } from './types.ts';

/**
 * What garbage collection may take. Nobody counts references: who uses what is read from the files each time, so that a crash can
 * leave garbage but never a wrong count.
 */
export interface Inventory {
  readonly images: readonly ImageRecord[];
  /** Full references of an image, by its id. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** Image ids that were what a name meant before, by the name. */
  readonly previous: ReadonlyMap<string, string>;
  /** Names of directories in layers/ that no image and no living pull wants. */
  readonly looseLayers: readonly string[];
  /** Paths of documents that no image has. */
  readonly looseBlobs: readonly string[];
}

/** A document is written before the record that names it: a young one may be about to be named. */
const BLOB_AGE = 3600;

export function takeInventory(host: Host, store: string): Inventory {
  const { images, layers, documents } = usedParts(host, store);
  const all = listNames(host, store);
  const names = new Map<string, string[]>();
  const previous = new Map<string, string>();
  for (const { reference, id } of all) {
    names.set(id, [...(names.get(id) ?? []), reference]);
    const before = readPulled(host, store, reference)?.previous;
    if (before !== undefined && before !== id) previous.set(reference, before);
  }
  return {
    images,
    names,
    previous,
    looseLayers: looseLayers(host, store, layers),
    looseBlobs: looseBlobs(host, store, documents),
  };
}

/** What images have and living pulls count on. */
export interface UsedParts {
  readonly images: readonly ImageRecord[];
  /** Names of directories in layers/. */
  readonly layers: ReadonlySet<string>;
  /** In hexadecimal. */
  readonly documents: ReadonlySet<string>;
}

export function usedParts(host: Host, store: string): UsedParts {
  // The pulls first: one that ends meanwhile has written its record by then.
  const wanted = wantedLayers(host, store);
  const images = listImages(host, store);
  return {
    images,
    layers: new Set([...wanted, ...images.flatMap(image => image.layers)].map(digestName)),
    documents: new Set(
      images.flatMap(({ id, manifest }) => (manifest === undefined ? [id] : [id, digestHex(manifest)])),
    ),
  };
}

function looseLayers(host: Host, store: string, used: ReadonlySet<string>): string[] {
  if (host.stat(`${store}/layers`) === undefined) return [];
  return host
    .list(`${store}/layers`)
    .map(entry => entry.name)
    .filter(name => !used.has(name));
}

/** Layers that a running pull counts on: it lists them in its own part of tmp/ (pull/pull.ts). */
function wantedLayers(host: Host, store: string): Digest[] {
  if (host.stat(`${store}/tmp`) === undefined) return [];
  return host.list(`${store}/tmp`).flatMap(({ name }) => {
    const [pid = '', start = ''] = name.split('.');
    if (!/^\d+$/.test(pid) || host.startTime(Number(pid)) !== start) return [];
    const lines = host.readFileIfExists(`${store}/tmp/${name}/wanted`, 1 << 20)?.split('\n') ?? [];
    return lines.map(parseDigest).filter(digest => digest !== undefined);
  });
}

function looseBlobs(host: Host, store: string, used: ReadonlySet<string>): string[] {
  return ['sha256', 'sha512'].flatMap(kind => {
    const directory = `${store}/blobs/${kind}`;
    if (host.stat(directory) === undefined) return [];
    return host
      .list(directory)
      .filter(({ name }) => isHex(name) && !used.has(name))
      .map(({ name }) => `${directory}/${name}`)
      .filter(path => !isYoung(host, path));
  });
}

export function isYoung(host: Host, blob: string): boolean {
  return (host.lstat(blob)?.mtime ?? host.now()) >= host.now() - BLOB_AGE;
}

/** Bytes that are on the disk for one image alone, and for it together with others. */
export interface ImageBytes {
  readonly unique: number;
  readonly shared: number;
}

/** By image id. `sizes`: bytes of a layer. */
export function sharedBytes(
  images: readonly ImageRecord[],
  sizes: (layer: Digest) => number,
): ReadonlyMap<string, ImageBytes> {
  const users = new Map<Digest, number>();
  for (const image of images) for (const layer of new Set(image.layers)) users.set(layer, (users.get(layer) ?? 0) + 1);
  return new Map(
    images.map(image => {
      let unique = 0;
      let shared = 0;
      for (const layer of new Set(image.layers)) {
        if ((users.get(layer) ?? 0) > 1) shared += sizes(layer);
        else unique += sizes(layer);
      }
      return [image.id, { unique, shared }];
    }),
  );
}

/** Bytes of all layers of these images, each counted once. */
export function totalBytes(images: readonly ImageRecord[], sizes: (layer: Digest) => number): number {
  const layers = new Set(images.flatMap(image => [...image.layers]));
  return [...layers].reduce((sum, layer) => sum + sizes(layer), 0);
}
