import { HostError, type Host, type Lock } from '../host/host.ts';
import { findImage, type FoundImage } from '../image/resolve.ts';
import type { ImageRecord } from '../image/types.ts';
import type { RunRequest } from '../plan/request.ts';
import { isName } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import type { IdMap } from '../run/ids.ts';
import { removeStored, temporaryPath } from '../run/layer.ts';
import type { VolumeChoice, VolumesOf } from '../run/parts.ts';
import type { Undo } from '../run/undo.ts';
import { holdVolume, livingUser, mountVolume, removeMade, takeBack, unlessUsed, unmountVolume } from './mounting.ts';
import { backingOf } from './options.ts';
import { dataPath, isNew, readVolume, volumePath, writeRecord, type VolumeRecord } from './record.ts';

type Facts = VolumeChoice['volumes'][string];

/** Decides on the volumes of a request: those it names, those it leaves unnamed, and those the image declares and nothing covers. */
export function chooseVolumes(
  host: Host,
  store: string,
  request: RunRequest,
  image?: ImageRecord,
  before: readonly string[] = [],
): VolumeChoice {
  const volumes: Record<string, Facts> = {};
  const anonymous: string[] = [];
  const missing: string[] = [];
  const fresh: string[] = [];
  const named: string[] = [];
  const images = new Set<string>();
  const imageFacts = (reference: string): Facts => {
    const { record, layers } = requireImage(host, store, reference);
    images.add(record.id);
    return { path: '', fresh: false, lower: layers };
  };
  const take = (key: string, name: string): void => {
    if (volumes[key] !== undefined) return;
    const record = readVolume(host, store, name);
    if (record === undefined) missing.push(name);
    if (record?.filled !== true) fresh.push(name);
    const path = dataPath(store, name);
    const facts =
      record === undefined ? { path, fresh: true, unowned: true } : factsOf(host, store, record, imageFacts);
    // A directory of the host is not ours to settle, unless it is to be filled.
    const settles = record?.filled !== true && (facts.fresh || facts.path === path);
    volumes[key] = { ...facts, ...(settles ? lockOf(store, name, key) : {}) };
  };
  const takeAnonymous = (target: string): void => {
    const name = before[anonymous.length] ?? host.random(32);
    anonymous.push(name);
    take(`anonymous:${target}`, name);
  };
  const covered = new Set(request.mounts.map(mount => trimmed(mount.target)));
  for (const mount of request.mounts) {
    if (mount.kind === 'image') volumes[`image:${mount.source}`] = imageFacts(mount.source);
    if (mount.kind !== 'volume') continue;
    if (mount.source === '') takeAnonymous(mount.target);
    else if (!isName(mount.source)) throw new Failure(125, `${mount.source}: not a volume name`);
    else {
      take(`volume:${mount.source}`, mount.source);
      if (!named.includes(mount.source)) named.push(mount.source);
    }
  }
  const declared = request.imageVolumes === 'anonymous' ? (image?.config.volumes ?? []) : [];
  for (const target of declared) {
    if (!covered.has(trimmed(target))) takeAnonymous(target);
  }
  return { volumes, anonymous, missing, fresh, named, images: [...images] };
}

/** Others may start with a volume that has a name while it is being filled. */
function lockOf(store: string, name: string, key: string): Pick<Facts, 'record'> {
  return key.startsWith('volume:') ? { record: volumePath(store, name) } : {};
}

/** Where a volume's content is, and what a mount of it must say. */
function factsOf(host: Host, store: string, record: VolumeRecord, imageFacts: (reference: string) => Facts): Facts {
  const backing = backingOf(record);
  const copies = record.options?.['nocopy'] === undefined;
  const fresh = !record.filled && copies && isEmpty(host, placeOf(store, record));
  const path = dataPath(store, record.name);
  switch (backing.kind) {
    case 'directory':
      return { path, fresh, unowned: isNew(record) && record.uid === undefined && record.gid === undefined };
    case 'image':
      return { ...imageFacts(record.image ?? backing.image), writable: volumePath(store, record.name) };
    case 'bind': {
      if (host.stat(backing.device) === undefined) {
        throw new Failure(
          125,
          `volume ${record.name}: its device ${backing.device} is not there; make the directory first`,
        );
      }
      return { path: backing.device, fresh, words: backing.words };
    }
    case 'mount':
      if (host.euid === 0) return { path, fresh, covered: true };
      if (backing.type === 'tmpfs') return { path, fresh: false, tmpfs: backing.words };
      throw new Failure(
        125,
        `volume ${record.name}: the kernel lets only root mount a file system of type ${backing.type}; mount it by a .mount unit and use its directory`,
      );
  }
}

function requireImage(host: Host, store: string, reference: string): FoundImage {
  const found = findImage(host, store, reference);
  if (found === undefined)
    throw new Failure(125, `${reference}: no such image in ${store}; 'berth pull' or 'berth load' it first`);
  return found;
}

/** What each container mounts for itself: two would not see each other, or spoil what is kept of an image. Empty: it is shared. */
function whyAlone(facts: Facts | undefined): string {
  if (facts?.writable !== undefined) return 'a volume of an image';
  return facts?.tmpfs === undefined ? '' : "an account's volume of type tmpfs";
}

/**
 * Makes the volumes that are missing and mounts those that stand on a file system of their own; `undo` takes them back. The locks keep
 * others from removing them until the container is listed as their user.
 */
export function createVolumes(host: Host, store: string, choice: VolumeChoice, undo: Undo): Lock[] {
  const locks: Lock[] = [];
  const held = new Map<string, Lock>();
  // Sorted: two starts that want the same ones alone do not wait for each other.
  for (const name of [...choice.named].sort()) {
    const why = whyAlone(choice.volumes[`volume:${name}`]);
    const lock = holdVolume(host, store, name, why !== '');
    if (lock !== undefined) held.set(name, lock);
    const other = why === '' ? undefined : livingUser(host, name);
    if (other !== undefined)
      throw new Failure(
        125,
        `volume ${name}: the container ${other} has it, and ${why} is for one container at a time`,
      );
  }
  locks.push(...held.values());
  for (const name of choice.anonymous)
    if (choice.missing.includes(name) && makeVolume(host, store, anonymousRecord(host, name)))
      undo.add(name, () => removeMade(host, store, name));
  for (const name of choice.named) {
    const record = readVolume(host, store, name);
    // One that no payload had is no loss.
    if (record === undefined && !choice.missing.includes(name) && choice.volumes[`volume:${name}`]?.unowned !== true)
      throw new Failure(125, `volume ${name} was removed meanwhile`);
    if (record === undefined && makeVolume(host, store, { ...anonymousRecord(host, name), anonymous: false }))
      undo.add(name, () => takeBack(host, store, name, held.get(name)));
    const backing = record === undefined ? undefined : backingOf(record);
    if (backing?.kind !== 'mount' || host.euid !== 0) continue;
    mountVolume(host, store, name, backing);
    undo.add(`mount of ${name}`, () => void unmountVolume(host, store, name));
  }
  return locks;
}

function anonymousRecord(host: Host, name: string): VolumeRecord {
  return { version: 1, name, anonymous: true, created: Math.floor(host.now()), filled: false, labels: {} };
}

/** A directory with its record appears by a rename. False when another was faster: then that one counts. */
export function makeVolume(host: Host, store: string, record: VolumeRecord): boolean {
  const path = volumePath(store, record.name);
  const temporary = temporaryPath(host, store);
  host.mkdirs(`${store}/volumes`, 0o700);
  host.mkdir(temporary, 0o700);
  const directories = record.driver === 'image' ? ['upper', 'work'] : ['_data'];
  for (const directory of directories) host.mkdir(`${temporary}/${directory}`, 0o755);
  writeRecord(host, temporary, record);
  try {
    host.rename(temporary, path);
  } catch (error) {
    host.removeTree(temporary);
    if (readVolume(host, store, record.name) === undefined) throw error;
    return false;
  }
  return true;
}

/** Notes which of the fresh volumes hold what an image had for them. */
export function markFilled(host: Host, store: string, choice: VolumeChoice): void {
  for (const name of choice.fresh) {
    const record = readVolume(host, store, name);
    if (record === undefined) continue;
    const now = isEmpty(host, placeOf(store, record)) ? { owned: true as const } : { filled: true };
    if (record.owned !== true || now.filled === true) writeRecord(host, volumePath(store, name), { ...record, ...now });
  }
}

function placeOf(store: string, record: VolumeRecord): string {
  const backing = backingOf(record);
  return backing.kind === 'bind' ? backing.device : dataPath(store, record.name);
}

/** Of the names of native/tiny/copy.c: what is being copied does not count, and nothing does before all of it is in its place. */
function isEmpty(host: Host, path: string): boolean {
  // A directory that this account may not look into is a payload's.
  try {
    const names = host.list(path).map(({ name }) => name);
    return names.includes('.berth-filled') || names.every(name => name === '.berth-filling');
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}

/** Unmounts what the container was the last to use; the lines say what could not be done. */
export function releaseVolumes(host: Host, store: string, names: readonly string[], bundle: string): string[] {
  const lines: string[] = [];
  for (const name of names) {
    const record = isName(name) ? readVolume(host, store, name) : undefined;
    if (record?.options?.['device'] === undefined || host.euid !== 0) continue;
    try {
      if (backingOf(record).kind === 'mount') unmountVolume(host, store, name, { except: bundle });
    } catch (error) {
      lines.push(error instanceof Error ? error.message : String(error));
    }
  }
  return lines;
}

/**
 * Removes a container's anonymous volumes, and of those that it has by name (`named`) what was another's anonymous volume and nobody else has;
 * a name that is none (any more) is passed over. The lines say what could not be removed.
 */
export function removeVolumes(host: Host, store: string, of: VolumesOf, uidMap: IdMap, gidMap: IdMap): string[] {
  const lines: string[] = [];
  for (const name of new Set([...of.anonymous, ...of.named])) {
    if (!isName(name)) continue;
    const own = of.anonymous.includes(name);
    const anonymous = readVolume(host, store, name)?.anonymous;
    // One whose record a power cut has emptied is known by the container's note alone.
    if (anonymous === false || (anonymous === undefined && !own)) continue;
    const path = volumePath(store, name);
    try {
      unlessUsed(host, store, name, of.bundle, own, () => removeStored(host, store, path, uidMap, gidMap));
    } catch (error) {
      lines.push(error instanceof Error ? error.message : String(error));
    }
  }
  return lines;
}

function trimmed(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
