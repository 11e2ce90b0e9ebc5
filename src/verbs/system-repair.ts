import type { Host, Lock } from '../host/host.ts';
import { findLayer } from '../image/additional.ts';
import { withWork } from '../image/archive/ingest.ts';
import type { Inventory } from '../image/collect.ts';
import { ImageError } from '../image/error.ts';
import { layerDirectory, listImages } from '../image/images.ts';
import { lockImage } from '../image/lock.ts';
import { readPulled } from '../image/pulled.ts';
import { formatReference, parseReference } from '../image/reference.ts';
import { hostPlatform } from '../image/registry/platform.ts';
import type { Platform } from '../image/registry/types.ts';
import type { Digest } from '../image/types.ts';
import { putBack, setAside, type Fault } from '../image/verify.ts';
import { isAlive, listContainers } from '../run/containers.ts';
import { say } from './edge.ts';
import { awaitInterruption } from './interruption.ts';
import { fetchAgain } from './pull-fetch.ts';
import { imagesOf } from './used-images.ts';

/** Ids of the images that these faults are in. */
export function brokenImages(inventory: Inventory, faults: readonly Fault[]): Set<string> {
  const layers = new Set<Digest>(faults.flatMap(fault => (fault.layer === undefined ? [] : [fault.layer])));
  const ids = new Set(faults.flatMap(fault => (fault.image === undefined ? [] : [fault.image])));
  for (const image of inventory.images) if (image.layers.some(layer => layers.has(layer))) ids.add(image.id);
  return ids;
}

/** Fetches broken images again, one after the other. Exit status 1 when one stays as it was. */
export async function repair(
  host: Host,
  store: string,
  inventory: Inventory,
  faults: readonly Fault[],
): Promise<number> {
  const interruption = awaitInterruption();
  const mended = new Set<Digest>();
  const broken = [...brokenImages(inventory, faults)].map(id => ({ id, source: sourceOf(host, store, inventory, id) }));
  // What is of no registry may have its layers from one that is.
  const rank = (source?: Source): number => (source === undefined ? 2 : Number(source.guessed));
  broken.sort((a, b) => rank(a.source) - rank(b.source));
  let status = 0;
  for (const { id, source } of broken) {
    if (interruption.signal.aborted) break;
    const label = inventory.names.get(id)?.[0] ?? id.slice(0, 12);
    const has = inventory.images.find(image => image.id === id)?.layers ?? [];
    const layers = has.filter(layer => !mended.has(layer) && faults.some(fault => fault.layer === layer));
    try {
      if (layers.length > 0 || faults.some(fault => fault.image === id)) {
        if (source === undefined) throw new ImageError('no name tells a registry that has it; load or import it again');
        await fetchInstead(host, store, { ...source, id }, layers, interruption.signal);
        for (const layer of layers) mended.add(layer);
      }
      host.write(1, `${label}: fetched again\n`);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      say(host, `${label}: ${interruption.signal.aborted ? 'interrupted' : error.message}`);
      status = 1;
    }
  }
  interruption.dieOfIt();
  return status;
}

interface Source {
  readonly reference: string;
  readonly platform: Platform;
  /** Nothing but a name tells of this registry: it may never have had it. */
  readonly guessed: boolean;
}

/**
 * Where an image came from: the repository of a name that it has or had, and the digest of its manifest, since the tag may have moved on. Of
 * an image whose record is gone, what the name meant. What was migrated, handed over or loaded was never pulled: a registry's name tells.
 */
export function sourceOf(host: Host, store: string, inventory: Inventory, id: string): Source | undefined {
  const image = inventory.images.find(one => one.id === id);
  const names = inventory.names.get(id) ?? [];
  const own = names.find(name => readPulled(host, store, name)?.image === id);
  const known = own ?? [...inventory.previous].find(([, before]) => before === id)?.[0];
  const name = known ?? names.find(one => !['', 'localhost', undefined].includes(parseReference(one)?.registry));
  const parsed = name === undefined ? undefined : parseReference(name);
  const digest = image === undefined && own !== undefined ? readPulled(host, store, own)?.digest : image?.manifest;
  if (parsed === undefined || digest === undefined) return undefined;
  const platform = image === undefined ? hostPlatform() : { os: image.os, architecture: image.architecture };
  return { reference: formatReference({ ...parsed, digest }), platform, guessed: known === undefined };
}

/** What cannot be fetched is as broken as it was: the image may still start. */
async function fetchInstead(
  host: Host,
  store: string,
  source: Source & { readonly id: string },
  layers: readonly Digest[],
  signal: AbortSignal,
): Promise<void> {
  await withWork(host, store, async work => {
    try {
      takeAside(host, store, layers, work);
      const id = await fetchAgain(host, store, source, signal);
      if (id !== source.id)
        throw new ImageError(`${source.reference}: the registry has another image, ${id.slice(0, 12)}`);
    } catch (error) {
      putBack(host, store, work);
      throw error;
    }
  });
}

/** Broken layers go aside. Not while a container uses one, whichever of the images that share it is its own, or starts from such an image. */
export function takeAside(host: Host, store: string, layers: readonly Digest[], work: string): void {
  for (const layer of layers) refuseForeign(host, store, layer);
  const sharers = listImages(host, store).filter(image => image.layers.some(layer => layers.includes(layer)));
  const locks: Lock[] = [];
  try {
    for (const { id } of sharers) {
      const lock = lockImage(host, store, id, true, false);
      if (lock === undefined) throw new ImageError('a container is being started from it; try again');
      locks.push(lock);
    }
    const ids = new Set(sharers.map(image => image.id));
    const users = listContainers(host).filter(
      ({ state }) => state !== undefined && isAlive(host, state) && imagesOf(state).some(id => ids.has(id)),
    );
    if (users.length > 0) throw new ImageError(`used by ${users.map(one => one.name).join(', ')}; stop it first`);
    for (const layer of layers) setAside(host, store, layer, work);
  } finally {
    for (const lock of locks) lock.release();
  }
}

function refuseForeign(host: Host, store: string, layer: Digest): void {
  const directory = findLayer(host, store, layer)?.directory;
  if (directory !== undefined && directory !== layerDirectory(store, layer))
    throw new ImageError(`${directory} is of an additional store; repair it there`);
}
