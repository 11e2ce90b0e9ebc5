import { HostError, type Host } from '../host/host.ts';
import { ASIDE } from '../image/aside.ts';
import { encodeOps } from '../ops/encode.ts';
import type { IdMap } from './ids.ts';
import { removeMapped } from './mapped.ts';

/**
 * The writable layer of a container: STORE/containers/NAME with `upper/`, `work/` (overlayfs) and `container.json`, which keeps
 * what its removal needs when the runtime directory is lost (a power cut).
 */
export interface LayerNote {
  readonly version: 1;
  readonly uidMap: IdMap;
  readonly gidMap: IdMap;
  readonly anonymousVolumes: readonly string[];
  /** The boot in which it was made (random(4), boot_id), and whether --rm was given. Absent in notes of older versions. */
  readonly boot?: string;
  readonly remove?: boolean;
}

/** Of the running kernel; undefined where ProcSubset=pid hides it. */
export function bootId(host: Host): string | undefined {
  return host.readFileIfExists('/proc/sys/kernel/random/boot_id')?.trimEnd();
}

export function layerPath(store: string, name: string): string {
  return `${store}/containers/${name}`;
}

/**
 * Makes the container's directory with its note, and in it an empty layer where one is wanted. What an earlier container of this name
 * left must have been removed before. The note comes first, so that a start that is cut off leaves nothing that no note tells of.
 */
export function makeLayer(host: Host, store: string, name: string, note: LayerNote, writable: boolean): void {
  const layer = layerPath(store, name);
  host.mkdirs(`${store}/containers`, 0o700);
  host.mkdir(layer, 0o700);
  host.writeFile(`${layer}/container.json`, JSON.stringify(note), 0o600);
  if (!writable) return;
  host.mkdir(`${layer}/upper`, 0o755);
  host.mkdir(`${layer}/work`, 0o700);
}

export function readNote(host: Host, layer: string): LayerNote | undefined {
  const text = host.readFileIfExists(`${layer}/container.json`);
  if (text === undefined) return undefined;
  try {
    const note = JSON.parse(text) as LayerNote;
    return Array.isArray(note.uidMap) && Array.isArray(note.gidMap) && Array.isArray(note.anonymousVolumes)
      ? note
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Removes a tree of the store. Files of mapped ids need a user namespace with the map; what resists even there is renamed to
 * `tmp/`, out of the way of the next start.
 */
export function removeStored(host: Host, store: string, path: string, uidMap: IdMap, gidMap: IdMap): void {
  const stat = host.lstat(path);
  if (stat === undefined) return;
  try {
    if (stat.kind === 'directory') unlockWork(host, path);
    host.removeTree(path);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    removeHard(host, store, path, uidMap, gidMap);
  }
}

/**
 * Takes away a layer that nothing was written into, without waiting: it is renamed to `tmp/`, where a child of ours removes what overlayfs
 * left in it. A child that is killed leaves it to the next sweep. False when the layer is not empty: that may take other rights than ours,
 * and it is space that is to be free when we return.
 */
export function removeUnused(host: Host, store: string, layer: string): boolean {
  if (host.stat(`${layer}/upper`) === undefined || host.list(`${layer}/upper`).length > 0) return false;
  unlockWork(host, layer);
  const path = temporaryPath(host, store);
  host.rename(layer, path);
  try {
    const remover = host.launch({
      namespaces: 0,
      sibling: false,
      ops: encodeOps([{ name: 'remove-tree', fields: [path] }]),
      stdio: ['null', 'null', 'null'],
      descriptors: [],
    });
    for (const fd of [remover.control, remover.status, remover.pidfd]) host.close(fd);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    host.removeTree(path);
  }
  return true;
}

/** overlayfs leaves these with mode 0, which their owner may not even list; the last two are there after a volatile mount. */
const LOCKED = ['work', 'work/incompat', 'work/incompat/volatile'];

function unlockWork(host: Host, layer: string): void {
  for (const name of LOCKED) {
    const inner = `${layer}/work/${name}`;
    try {
      if (host.lstat(inner)?.kind !== 'directory') return;
      host.chmod(inner, 0o700);
    } catch (error) {
      if (error instanceof HostError) return;
      throw error;
    }
  }
}

function removeHard(host: Host, store: string, path: string, uidMap: IdMap, gidMap: IdMap): void {
  try {
    if (uidMap.length > 0 && removeMapped(host, path, uidMap, gidMap)) return;
  } catch (error) {
    if (!(error instanceof HostError) && !(error instanceof Error)) throw error;
  }
  host.mkdirs(`${store}/tmp`, 0o700);
  host.rename(path, `${store}/tmp/${host.random(8)}`);
}

/** A name in the store's tmp/ that tells who works there: the entry is swept when that process is gone. */
export function temporaryPath(host: Host, store: string): string {
  host.mkdirs(`${store}/tmp`, 0o700);
  return `${store}/tmp/${host.pid}.${host.startTime(host.pid) ?? '0'}.${host.random(6)}`;
}

/** Removes from the store's tmp/ what no living process owns; what resists stays for another time, a layer that was set aside for who puts it back. */
export function sweep(host: Host, store: string, uidMap: IdMap, gidMap: IdMap): void {
  if (host.stat(`${store}/tmp`) === undefined) return;
  for (const { name, kind } of host.list(`${store}/tmp`)) {
    const [pid = '', start = ''] = name.split('.');
    if (/^\d+$/.test(pid) && start !== '' && host.startTime(Number(pid)) === start) continue;
    const path = `${store}/tmp/${name}`;
    try {
      const kept = kind === 'directory' && host.list(path).some(inner => inner.name.startsWith(ASIDE));
      if (!kept) host.removeTree(path);
    } catch {
      if (uidMap.length > 0) removeMapped(host, path, uidMap, gidMap);
    }
  }
}
