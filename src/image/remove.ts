import type { Host } from '../host/host.ts';
import { digestName } from './digest.ts';
import { imagePath, layerDirectory, listImages } from './images.ts';
import type { ImageRecord } from './types.ts';

/**
 * Takes an image's record away and moves the layers that no other image has to `trash`, an existing directory in the store's tmp/.
 * Who uses what is read from the records, never stored: a load beside us that wrote its record meanwhile gets its layer back, and one
 * that writes it later looks again.
 */
export function removeImage(host: Host, store: string, record: ImageRecord, trash: string): void {
  host.unlink(imagePath(store, record.id));
  host.sync(`${store}/images`);
  host.unlink(`${store}/blobs/sha256/${record.id}`);
  const used = usedLayers(host, store);
  for (const diffId of record.layers) {
    const from = layerDirectory(store, diffId);
    const to = `${trash}/${digestName(diffId)}`;
    if (used.has(diffId) || host.lstat(from) === undefined) continue;
    host.rename(from, to);
    if (usedLayers(host, store).has(diffId) && host.lstat(from) === undefined) host.rename(to, from);
  }
}

function usedLayers(host: Host, store: string): Set<string> {
  return new Set(listImages(host, store).flatMap(image => [...image.layers]));
}
