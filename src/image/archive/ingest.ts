import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { beside, type WholeFile } from '../../host/beside.ts';
import { HostError, type Host } from '../../host/host.ts';
import { findLayer } from '../additional.ts';
import { digestAlgorithm, digestHex, digestName } from '../digest.ts';
import { ImageError } from '../error.ts';
import { imageFile, layerDirectory, readLayer } from '../images.ts';
import { whileKeptBeside } from '../lock.ts';
import { nameFile } from '../names.ts';
import type { Digest, ImageRecord } from '../types.ts';
import { unpackLimit } from '../unpack-limit.ts';
import { putBack } from '../verify.ts';
import { runLayer, shareIds } from './program.ts';
import type { ArchiveImage } from './types.ts';

/**
 * Puts an image into the store: layers that are missing are unpacked below `work` beside each other, everything is brought to the disk
 * once, then renamed into place; the record comes after what it names, the names last. Killed at any moment, nothing is half there.
 */
export async function ingest(
  host: Host,
  store: string,
  work: string,
  image: ArchiveImage,
  say: (line: string) => void,
): Promise<void> {
  // A removal beside us may take a layer that was there when we looked; the record is written by then, so it is the last time.
  for (let attempt = 0; attempt < 3; attempt++) {
    await ingestLayers(host, store, work, image, say);
    if (await writeNamed(host, store, image)) return;
  }
  throw new ImageError(`${image.id.slice(0, 12)}: its layers are removed as fast as they come; try again`);
}

async function ingestLayers(
  host: Host,
  store: string,
  work: string,
  image: ArchiveImage,
  say: (line: string) => void,
): Promise<void> {
  const missing = new Map<Digest, number>();
  for (const [index, diffId] of image.facts.layers.entries()) {
    if (!missing.has(diffId) && findLayer(host, store, diffId) === undefined) missing.set(diffId, index);
  }
  if (missing.size === 0) return;
  const abort = new AbortController();
  const limit = unpackLimit(image.layers.reduce((sum, layer) => sum + layer.place.length, 0));
  const ids = await shareIds(host);
  const unpack = async ([diffId, index]: [Digest, number]): Promise<void> => {
    const layer = image.layers[index];
    if (layer === undefined) throw new ImageError(`layer ${diffId}: not in the archive`);
    const target = `${work}/${digestName(diffId)}`;
    const words = [
      'apply',
      `target=${target}`,
      `offset=${layer.place.offset}`,
      `length=${layer.place.length}`,
      `diff=${diffId}`,
      ...limit.words(layer.place.length),
      ...ids.words,
    ];
    if (layer.blob !== undefined) words.push(`blob=${layer.blob}`);
    const answer = await runLayer(words, { stdin: layer.place.fd, pass: ids.pass, signal: abort.signal });
    const { warnings, ...record } = JSON.parse(answer) as { warnings: string[]; size: number; entries: number };
    for (const line of warnings) say(line);
    limit.count(record);
  };
  try {
    await inParallel([...missing], availableParallelism(), abort, unpack);
  } finally {
    ids.close();
  }
  await settle(host, store, new Map([...missing.keys()].map(diffId => [diffId, `${work}/${digestName(diffId)}`])));
}

/** Brings unpacked layers to the disk, then to their place. */
export async function settle(host: Host, store: string, layers: ReadonlyMap<Digest, string>): Promise<void> {
  await runLayer(['sync', `path=${store}`]);
  for (const [diffId, from] of layers) await place(host, store, from, diffId);
  host.sync(`${store}/layers`);
}

/** Renames a layer into place. Another load may have been faster; a broken remain of an older version makes room. */
async function place(host: Host, store: string, from: string, diffId: Digest): Promise<void> {
  const to = layerDirectory(store, diffId);
  if (readLayer(host, store, diffId) !== undefined) return;
  if (existsSync(to)) {
    host.rename(to, `${from}.old`);
    await runLayer(['remove', `path=${from}.old`]);
  }
  try {
    host.rename(from, to);
  } catch (error) {
    if (!(error instanceof HostError) || readLayer(host, store, diffId) === undefined) throw error;
  }
}

type Documents = Omit<ArchiveImage, 'layers' | 'names'>;

/**
 * Writes an image's documents, and names it. False, without a name: a removal beside us has taken one of its layers, which no record named
 * then; now one does.
 */
export async function writeWhole(
  host: Host,
  store: string,
  image: Documents,
  names: () => readonly WholeFile[],
): Promise<boolean> {
  return whileKeptBeside(host, store, image.id, async kept => {
    await beside(host).writeFilesAtomic(documentsOf(host, store, image), kept);
    const whole = image.facts.layers.every(layer => findLayer(host, store, layer) !== undefined);
    if (whole) await beside(host).writeFilesAtomic(names());
    return whole;
  });
}

export function writeNamed(host: Host, store: string, image: Omit<ArchiveImage, 'layers'>): Promise<boolean> {
  return writeWhole(host, store, image, () => image.names.map(name => nameFile(store, name, image.id)));
}

/** The documents byte for byte, and after them the record that a start reads. */
function documentsOf(host: Host, store: string, image: Documents): WholeFile[] {
  const files = [{ path: `${store}/blobs/sha256/${image.id}`, data: image.configuration }];
  if (image.manifest !== undefined) {
    const { digest, bytes } = image.manifest;
    files.push({ path: `${store}/blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`, data: bytes });
  }
  const size = image.facts.layers.reduce((sum, layer) => sum + (findLayer(host, store, layer)?.record.size ?? 0), 0);
  const record: ImageRecord = {
    version: 1,
    id: image.id,
    ...image.facts,
    size,
    ...(image.manifest === undefined ? {} : { manifest: image.manifest.digest }),
  };
  return [...files, imageFile(store, record)];
}

/** Runs a task for each item, some at a time; the first failure ends the others and is thrown when they have ended. */
async function inParallel<T>(
  items: T[],
  width: number,
  abort: AbortController,
  task: (item: T) => Promise<void>,
): Promise<void> {
  let failure: unknown;
  const queue = items.slice();
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined && failure === undefined; item = queue.shift()) {
      try {
        await task(item);
      } catch (error) {
        failure ??= error;
        abort.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, width) }, worker));
  if (failure !== undefined) throw failure as Error;
}

/**
 * A directory of our own in the store's tmp/, named by our process, and removed whatever happens. What dead processes left goes first.
 */
export async function withWork<T>(host: Host, store: string, body: (work: string) => Promise<T>): Promise<T> {
  await sweep(host, store);
  const work = `${store}/tmp/${host.pid}.${host.startTime(host.pid) ?? '0'}.${host.random(6)}`;
  mkdirSync(Buffer.from(work, 'latin1'), { mode: 0o700 });
  try {
    return await body(work);
  } finally {
    if (!isRemoved(work)) await removeQuietly([work]);
  }
}

/** An empty directory needs no program. */
function isRemoved(work: string): boolean {
  try {
    rmdirSync(Buffer.from(work, 'latin1'));
    return true;
  } catch {
    return false;
  }
}

/**
 * Removes from tmp/ what no living process owns. What cannot be removed now stays for another time. A layer that a repair had set aside
 * when it was killed goes back first: broken or not, the image may start with it, and without it not.
 */
export async function sweep(host: Host, store: string): Promise<void> {
  const dead = readdirSync(`${store}/tmp`).filter(name => {
    const [pid = '', start = ''] = name.split('.');
    return !/^\d+$/.test(pid) || start === '' || host.startTime(Number(pid)) !== start;
  });
  const remains = dead.map(name => `${store}/tmp/${name}`).filter(path => isRelieved(host, store, path));
  if (remains.length > 0) await removeQuietly(remains);
}

/** Not where nothing can be written, and not while another does the same. */
function isRelieved(host: Host, store: string, work: string): boolean {
  try {
    putBack(host, store, work);
    return true;
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}

/** In tmp/ a remain is no harm: the next sweep takes it. */
export async function removeQuietly(paths: readonly string[]): Promise<void> {
  try {
    await runLayer(['remove', ...paths.map(path => `path=${path}`)]);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
  }
}
