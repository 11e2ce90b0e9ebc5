import type { WholeFile } from '../host/beside.ts';
import type { Host } from '../host/host.ts';
import { digestName, isHex, parseDigest } from './digest.ts';
import { ImageError } from './error.ts';
import type { Digest, ImageRecord, LayerRecord } from './types.ts';

export function imagePath(store: string, id: string): string {
  return `${store}/images/${id}.json`;
}

export function layerDirectory(store: string, diffId: Digest): string {
  return `${store}/layers/${digestName(diffId)}`;
}

/** A record; undefined when it is absent or broken (it is made again by the next load). Throws for a newer format. */
export function readImage(host: Host, store: string, id: string): ImageRecord | undefined {
  const path = imagePath(store, id);
  const text = host.readFileIfExists(path);
  if (text === undefined) return undefined;
  let value: Partial<ImageRecord> | null;
  try {
    value = JSON.parse(text) as Partial<ImageRecord> | null;
  } catch {
    return undefined;
  }
  const version: unknown = value?.version;
  if (typeof version === 'number' && version > 1) {
    throw new ImageError(`${path}: written by a newer version of Berth (format ${version}); upgrade Berth`);
  }
  if (value === null || version !== 1 || !Array.isArray(value.layers) || typeof value.config !== 'object')
    return undefined;
  if (!value.layers.every(layer => parseDigest(layer) !== undefined)) return undefined;
  return value as ImageRecord;
}

export function writeImage(host: Host, store: string, record: ImageRecord): void {
  const { path, data } = imageFile(store, record);
  host.writeFileAtomic(path, data, 0o600);
}

export function imageFile(store: string, record: ImageRecord): WholeFile {
  return { path: imagePath(store, record.id), data: `${JSON.stringify(record)}\n` };
}

/** Ids of all images that can be read. */
export function listImages(host: Host, store: string): ImageRecord[] {
  if (host.stat(`${store}/images`) === undefined) return [];
  const found: ImageRecord[] = [];
  for (const entry of host.list(`${store}/images`)) {
    const id = entry.name.slice(0, 64);
    if (entry.name !== `${id}.json` || !isHex(id)) continue;
    const record = readImage(host, store, id);
    if (record !== undefined) found.push(record);
  }
  return found;
}

/** The layer's note; undefined when the layer is not there as a whole. */
export function readLayer(host: Host, store: string, diffId: Digest): LayerRecord | undefined {
  const directory = layerDirectory(store, diffId);
  const text = host.readFileIfExists(`${directory}/layer.json`, 1 << 20);
  if (text === undefined || host.lstat(`${directory}/fs`) === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<LayerRecord> | null;
    return value?.version === 1 && value.diffId === diffId ? (value as LayerRecord) : undefined;
  } catch {
    return undefined;
  }
}
