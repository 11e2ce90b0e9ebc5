import { sharedLabel } from '../plan/security.ts';
import type { Spec, SpecIdMapping, SpecMount } from '../plan/spec.ts';
import { op } from './encode.ts';
import { joinData, parseMountOptions, type MountOptions } from './mount-options.ts';
import type { Op } from './ops.ts';

interface Known {
  /** Number of id maps that stand before those of the mounts. */
  readonly before?: number;
  /** Index of the descriptor of the /dev/shm of another container, which config.json has as BUNDLE/shm. */
  readonly shm?: number | undefined;
}

/** Operations for `mounts` of config.json, in its order. `bundle`: directory that relative sources start from. */
export function mountOps(spec: Spec, bundle: string, { before = 0, shm }: Known = {}): Op[] {
  const maps = [...Array.from({ length: before }, () => ''), ...idMaps(spec)];
  return (spec.mounts ?? []).map(mount => withShm(mountOp(spec, bundle, mount, maps), `${bundle}/shm`, shm));
}

function withShm(one: Op, path: string, shm: number | undefined): Op {
  const [source = '', target = '', flags = ''] = one.fields;
  return shm !== undefined && one.name === 'bind' && source === path ? op('bind-fd', shm, target, flags) : one;
}

/** The user namespaces that id-mapped binds need, one for each different map. */
export function idMapOps(spec: Spec): Op[] {
  return idMaps(spec).map(map => op('id-map', map));
}

function idMaps(spec: Spec): string[] {
  return [...new Set((spec.mounts ?? []).map(idMap).filter(map => map !== ''))];
}

/** What is read-only in the end, but must be written while things are made in it: a tmpfs. */
export function lateOps(spec: Spec): Op[] {
  return (spec.mounts ?? [])
    .filter(mount => isLate(mount, parseMountOptions(mount.options ?? [])))
    .map(mount => op('remount', mount.destination, 'ro'));
}

function isLate(mount: SpecMount, options: MountOptions): boolean {
  return mount.type === 'tmpfs' && options.readOnly && !options.copyUp && !options.bind;
}

/** True when the container's /dev is a directory of the host. */
export function hasBoundDev(spec: Spec): boolean {
  return (spec.mounts ?? []).some(mount => mount.destination === '/dev' && isBind(mount));
}

function isBind(mount: SpecMount): boolean {
  return mount.type === 'bind' || (mount.options ?? []).some(word => word === 'bind' || word === 'rbind');
}

function mountOp(spec: Spec, bundle: string, mount: SpecMount, maps: readonly string[]): Op {
  const options = parseMountOptions(mount.options ?? []);
  const target = mount.destination.startsWith('/') ? mount.destination : `/${mount.destination}`;
  if (options.idmap && (mount.uidMappings === undefined || mount.gidMappings === undefined)) {
    throw new RangeError(`${target}: an id-mapped mount needs uidMappings and gidMappings`);
  }
  if (options.bind || mount.type === 'bind') return bindOp(bundle, mount, target, options, maps);
  const type = mount.type ?? 'none';
  const late = isLate(mount, options);
  const words = [...options.words.filter(word => !late || word !== 'ro'), 'point'];
  const kind = type === 'cgroup' ? 'cgroup2' : type;
  if (kind === 'cgroup2' && !hasNew(spec, 'cgroup')) words.push('ro'); // T10
  if (HOST_TYPES.has(kind) && options.data.length === 0) return op('mount-host', kind, target, words.join(','));
  const data = fileSystemData(spec, type, mount.source ?? '', options);
  if (mount.subpath !== undefined)
    return op('mount-below', type, mount.source ?? type, target, words.join(','), data, mount.subpath);
  if (kind === 'tmpfs' && options.copyUp) return op('tmpfs-copyup', target, data, words.join(','));
  return op('mount', type, mount.source ?? type, target, words.join(','), data);
}

/** A fresh one may be refused: see the operation `mount-host`. */
const HOST_TYPES: ReadonlySet<string> = new Set(['proc', 'sysfs', 'cgroup2']);

function bindOp(bundle: string, mount: SpecMount, target: string, options: MountOptions, maps: readonly string[]): Op {
  const source = mount.source ?? '';
  const words = [...options.words, 'point'];
  if (options.recursive) words.push('r');
  // As other runtimes: a bind mount is private unless it says otherwise.
  if (!options.words.some(word => PROPAGATION.test(word))) words.push('rprivate');
  if (mount.options?.includes('ridmap') === true) words.push('ridmap');
  const map = idMap(mount);
  const path = source.startsWith('/') ? source : `${bundle}/${source}`;
  const number = map === '' ? '' : String(maps.indexOf(map));
  const { within, subpath = '' } = mount;
  if (within === undefined && subpath === '') return op('bind', path, target, words.join(','), number);
  const rest = within === undefined ? '' : restOf(path, within);
  return op('bind-below', within ?? path, rest, subpath, target, words.join(','), number);
}

const restOf = (path: string, within: string): string => path.slice(within.length + 1);

/** Gives a source away, found as its mount finds it. */
export function chownOp({ path, within }: { path: string; within?: string }, uid: number, gid: number): Op {
  if (within === undefined) return op('chown-tree', path, uid, gid);
  return op('chown-below', within, restOf(path, within), uid, gid);
}

/** The id map of a bind: the file system's id, what it appears as, how many. Empty: none. */
function idMap(mount: SpecMount): string {
  const { uidMappings, gidMappings } = mount;
  if (uidMappings === undefined || gidMappings === undefined) return '';
  return idMapText(uidMappings, gidMappings);
}

/** As `id-map` and `nest` want it: `inside outside count,…;inside outside count,…` */
export function idMapText(uid: readonly SpecIdMapping[], gid: readonly SpecIdMapping[]): string {
  const lines = (map: readonly SpecIdMapping[]): string =>
    map.map(line => `${line.containerID} ${line.hostID} ${line.size}`).join(',');
  return `${lines(uid)};${lines(gid)}`;
}

const PROPAGATION = /^r?(private|slave|shared|unbindable)$/;

function fileSystemData(spec: Spec, type: string, source: string, options: MountOptions): string {
  const data = type === 'devpts' ? devptsData(spec, options.data) : [...options.data];
  // A file system on a device is read-only itself, not only this mount of it.
  if (options.readOnly && source.startsWith('/') && type !== 'tmpfs') data.push('ro');
  const label = spec.linux.mountLabel;
  // Those that a user namespace may label (selinux_set_mnt_opts of the kernel). A level without commas can be said in every way to mount.
  if (label !== undefined && label !== '' && LABELLED.has(type))
    data.push(`context=${type === 'overlay' ? sharedLabel(label) : label}`);
  return joinData(data);
}

const LABELLED: ReadonlySet<string> = new Set(['tmpfs', 'devpts', 'overlay']);

/** A group that the user namespace does not map is refused by the kernel; terminals then have the payload's group. */
function devptsData(spec: Spec, data: readonly string[]): string[] {
  return data.filter(option => {
    const gid = /^gid=(\d+)$/.exec(option)?.[1];
    return gid === undefined || !hasNew(spec, 'user') || isMapped(spec.linux.gidMappings, Number(gid));
  });
}

function isMapped(map: readonly SpecIdMapping[] | undefined, id: number): boolean {
  return (map ?? []).some(line => id >= line.containerID && id < line.containerID + line.size);
}

function hasNew(spec: Spec, type: string): boolean {
  return (spec.linux.namespaces ?? []).some(
    namespace => namespace.type === type && (namespace.path === undefined || namespace.path === ''),
  );
}
