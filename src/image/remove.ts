import { HostError, type Host } from '../host/host.ts';
import { isYoung, takeInventory, usedParts } from './collect.ts';
import { digestName } from './digest.ts';
import { imagePath, layerDirectory } from './images.ts';
import type { ImageRecord } from './types.ts';

/*
 * Who uses what is read from the files, never stored, and nobody who adds an image asks us. So what is taken goes to `trash` first, an existing
 * directory in the store's tmp/, and is given back when then somebody wants it: whoever saw it before it went has told by then that he
 * counts on it (a pull in tmp/, a load by its record), and whoever looks later finds that it is missing.
 */

/** Takes an image's record away, and the layers that no other has. By who holds its lock exclusively. */
export function removeImage(host: Host, store: string, record: ImageRecord, trash: string): void {
  host.unlink(imagePath(store, record.id));
  host.sync(`${store}/images`);
  host.unlink(`${store}/blobs/sha256/${record.id}`);
  const used = usedParts(host, store).layers;
  const unused = [...new Set(record.layers)].filter(layer => !used.has(digestName(layer)));
  takeLayers(
    host,
    store,
    unused.map(layer => ({ name: digestName(layer), from: layerDirectory(store, layer) })),
    trash,
  );
}

interface Part {
  readonly name: string;
  readonly from: string;
}

/** Those that are gone. */
function takeLayers(host: Host, store: string, layers: readonly Part[], trash: string): Part[] {
  const taken = layers.filter(({ name, from }) => move(host, from, `${trash}/${name}`));
  if (taken.length === 0) return [];
  const used = usedParts(host, store).layers;
  for (const { name, from } of taken) if (used.has(name)) giveBack(host, `${trash}/${name}`, from);
  return taken.filter(({ name }) => !used.has(name));
}

/** Takes layers of pulls that were cut off, and documents without an image. Bytes of the layers. */
export function removeLoose(host: Host, store: string, trash: string): number {
  const { looseLayers, looseBlobs } = takeInventory(host, store);
  const layers = looseLayers.map(name => ({ name, from: `${store}/layers/${name}` }));
  const bytes = takeLayers(host, store, layers, trash).reduce(
    (sum, { name }) => sum + sizeIn(host, `${trash}/${name}`),
    0,
  );
  const hex = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  const aside = (path: string): string => `${trash}/document-${hex(path)}`;
  const blobs = looseBlobs.filter(path => move(host, path, aside(path)));
  const used = blobs.length === 0 ? undefined : usedParts(host, store).documents;
  // One that was written anew since we looked is of a record that is about to come.
  for (const path of blobs)
    if (used?.has(hex(path)) === true || isYoung(host, aside(path))) giveBack(host, aside(path), path);
  return bytes;
}

function sizeIn(host: Host, layer: string): number {
  const text = host.readFileIfExists(`${layer}/layer.json`, 1 << 20) ?? '';
  return Number(/"size":(\d+)/.exec(text)?.[1] ?? 0);
}

/** False when it is not there (any more). */
function move(host: Host, from: string, to: string): boolean {
  try {
    host.rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof HostError && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Unless another has brought it meanwhile. */
function giveBack(host: Host, from: string, to: string): void {
  try {
    if (host.lstat(to) === undefined) host.rename(from, to);
  } catch (error) {
    if (!(error instanceof HostError) || host.lstat(to) === undefined) throw error;
  }
}
