import type { Host } from '../host/host.ts';
import { digestName, isHex, parseDigest } from './digest.ts';
import { ImageError } from './error.ts';
import { layerDirectory, readLayer, writeImage } from './images.ts';
import { flatMap, layerCalls } from './layer-calls.ts';
import { writeName } from './names.ts';
import { findImage } from './resolve.ts';
import { storeMap } from './store-map.ts';
import { openStore } from './store.ts';
import type { Digest, ImageRecord } from './types.ts';

/**
 * The account's half of a hand-over from root's store (`berth account prepare --image`). Root only sends; all that is made in the
 * account's directories is made by the account.
 */

/** What is handed over besides the layers. */
export interface Handover {
  readonly record: ImageRecord;
  readonly configuration: string;
  readonly name: string;
}

/** The layers of an image that this store lacks; `undefined` when the name means a whole image already. */
export function missingLayers(host: Host, name: string, layers: readonly Digest[]): Digest[] | undefined {
  const store = openStore(host);
  if (findImage(host, store, name) !== undefined) return undefined;
  return layers.filter(layer => readLayer(host, store, layer) === undefined);
}

/** Moves a layer that was unpacked in `from` to its place. */
export function adoptLayer(host: Host, store: string, from: string, diffId: Digest): void {
  layerCalls(host).syncFileSystem(store);
  const to = layerDirectory(store, diffId);
  if (readLayer(host, store, diffId) === undefined) {
    if (host.lstat(to) !== undefined) host.rename(to, `${from}.old`);
    host.rename(from, to);
    host.sync(`${store}/layers`);
  }
  layerCalls(host).removeLayers([from, `${from}.old`], flatMap(storeMap(host)));
}

/** Writes the documents of an image whose layers are all there. */
export function adoptImage(host: Host, text: string): void {
  const store = openStore(host);
  const { record, configuration, name } = JSON.parse(text) as Handover;
  if (record.version !== 1 || record.id.length !== 64 || !isHex(record.id))
    throw new ImageError(`${name}: a record of another version`);
  for (const layer of record.layers) {
    const digest = parseDigest(layer);
    if (digest === undefined || readLayer(host, store, digest) === undefined)
      throw new ImageError(`${name}: layer ${layer} is missing`);
  }
  host.writeFileAtomic(`${store}/blobs/sha256/${record.id}`, configuration, 0o600);
  writeImage(host, store, record);
  writeName(host, store, name, record.id);
}

/** Where a layer is unpacked before it is adopted. */
export function adoptionPlace(host: Host, diffId: Digest): { store: string; target: string } {
  const store = openStore(host);
  return { store, target: `${store}/tmp/${host.pid}.${host.startTime(host.pid) ?? '0'}.${digestName(diffId)}` };
}
