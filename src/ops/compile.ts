/**
 * From a plan to the operations of a start. The order, and why:
 *
 *  1. namespaces: join those with a path, become root, the cgroup namespace, `lo`; then `sync created`: the launcher sets up the network.
 *  2. host and domain name, propagation of the old root, so that nothing of ours is seen on the host.
 *  3. the root; /dev, /proc and /sys of an image must be directories before anything is mounted there (T7).
 *  4. volumes: filled from the image while it is not covered yet (T16), then given to their owner.
 *  5. mounts in the order of config.json, then nodes and links of /dev, the terminal.
 *  6. sysctls, limits, label: what the host may refuse is refused before `ready`.
 *  7. the working directory is made while the root can be written; read-only root; pivot; masks and read-only paths last, so that
 *     nothing of ours needs what they hide.
 *  8. `sync ready`: MAINPID= is sent. `await` for `oci create`.
 *  9. privileges fall, and exec.
 */
import type { Bytes, Host } from '../host/host.ts';
import type { NamespaceType, Spec, SpecProcess } from '../plan/spec.ts';
import { NAMESPACE_BITS } from './tables.ts';
import type { Plan } from '../plan/types.ts';
import { deviceOps } from './devices.ts';
import { op } from './encode.ts';
import { chownOp, hasBoundDev, idMapOps, lateOps, mountOps } from './mounts.ts';
import type { Op } from './ops.ts';
import { outsideOps, type Outside } from './outside.ts';
import { execOps, identityOps, labelOps, limitOps, seccompFlags, seccompProgram } from './process.ts';

/** What of a plan is compiled: `oci create` has no more than this of a foreign bundle. */
export type CompileInput = Pick<Plan, 'spec' | 'root' | 'copyUps' | 'chowns' | 'init' | 'defaultSeccomp'> & {
  /** The working directory is there, or the start fails. */
  readonly keepCwd?: boolean;
  /** Variables besides those of config.json. */
  readonly secretEnvironment?: Plan['secretEnvironment'];
} & Partial<Pick<Plan, 'outer' | 'outside' | 'directories' | 'mountedLayers' | 'relabels'>>;

export interface CompilePlace {
  /** Directory that relative mount sources start from. */
  readonly bundle: Bytes;
  /** Descriptors of ours that become 3, 4, … of the payload; default: those of listenDescriptors. */
  readonly listen?: readonly number[];
  /** `oci create`: a FIFO, open for reading and writing; the payload waits for one byte before its exec. */
  readonly awaitFd?: number;
  /** The /dev/shm that the payload shares with another container: a detached mount. */
  readonly shm?: number;
  /** The user namespace is made below this one; see Nest. */
  readonly nest?: Nest;
  /** Without a new session keyring (`--no-new-keyring`). */
  readonly keepKeyring?: boolean;
}

/**
 * Below which user namespace the container's is made, and its maps in ids of that one. Programs in the outer namespace then have power over
 * the container's network: so an account's networks are set up.
 */
export interface Nest {
  /** `/proc/PID/ns/user` */
  readonly user: Bytes;
  /** `inside outside count,…;inside outside count,…` (uids; gids) */
  readonly maps: Bytes;
}

export interface Compiled {
  readonly ops: Op[];
  /** Descriptors for LaunchRequest. Those that were opened here are in `opened` too: to be closed after the launch. */
  readonly descriptors: number[];
  readonly opened: number[];
}

/** Operations and descriptors of a start. Throws RangeError for what cannot be done, HostError for a namespace that cannot be opened. */
export function compileRun(host: Host, plan: CompileInput, place: CompilePlace): Compiled {
  const { spec } = plan;
  const { process } = spec;
  if (process === undefined) throw new RangeError('config.json has no process');
  const compiled: Compiled = { ops: [], descriptors: [], opened: [] };
  const { ops, descriptors } = compiled;
  const shm = place.shm === undefined ? undefined : descriptors.push(place.shm) - 1;
  const outside = outsideOf(plan, place.bundle, { asRoot: host.euid === 0, shm });
  namespaceOps(host, spec, compiled, place.nest, outside);
  if (isNew(spec, 'uts')) nameOps(spec, ops);
  if (outside === undefined) ops.push(...rootOps(plan), ...mountOps(spec, place.bundle, { shm }));
  else ops.push(...outside.inside);
  ops.push(...deviceOps(spec, hasBoundDev(spec)));
  ops.push(op('session'));
  if (process.terminal === true) ops.push(op('console', process.user.uid, -1));
  for (const [key, value] of Object.entries(spec.linux.sysctl ?? {})) ops.push(op('sysctl', key, value));
  if (process.oomScoreAdj !== undefined) ops.push(op('oom-score-adj', process.oomScoreAdj));
  if (place.keepKeyring !== true) ops.push(op('keyring', '_ses'));
  ops.push(...labelOps(process), ...insideOps(plan, process), ...limitOps(process), op('sync', 'ready'));
  if (place.awaitFd !== undefined) ops.push(op('await', descriptors.push(place.awaitFd) - 1));
  ops.push(
    ...identityOps({
      process,
      annotations: spec.annotations,
      seccomp: seccompProgram(host, spec, plan.defaultSeccomp),
      seccompFlags: seccompFlags(spec),
    }),
  );
  const listen = (place.listen ?? listenDescriptors(host)).map(fd => descriptors.push(fd) - 1);
  const secret = plan.secretEnvironment ?? [];
  ops.push(
    ...execOps(secret.length === 0 ? process : { ...process, env: [...process.env, ...secret] }, listen, plan.init),
  );
  return compiled;
}

/** The sockets that systemd gave to us, by number (sd_listen_fds(3)); none when they are another process's. */
export function listenDescriptors(host: Host): number[] {
  if (host.environment('LISTEN_PID') !== String(host.pid)) return [];
  const count = Number(host.environment('LISTEN_FDS') ?? '0');
  return Number.isInteger(count) && count > 0 ? Array.from({ length: count }, (_, index) => 3 + index) : [];
}

/** The user namespace is joined first: its root may join the others. */
const JOIN_ORDER: readonly NamespaceType[] = ['user', 'ipc', 'uts', 'network', 'cgroup', 'time', 'pid'];

/** Joins, makes what the clone could not make, becomes root, and lets the launcher set up the network. */
export function namespaceOps(host: Host, spec: Spec, compiled: Compiled, nest?: Nest, outside?: Outside): void {
  const { ops } = compiled;
  const join = (type: NamespaceType, path: string): void => {
    const O_RDONLY = 0;
    const fd = host.open(path, O_RDONLY);
    compiled.opened.push(fd);
    ops.push(op('setns', compiled.descriptors.push(fd) - 1, NAMESPACE_BITS[type].toString(16)));
  };
  if (nest !== undefined) join('user', nest.user);
  if (outside !== undefined) {
    if (nest === undefined && host.euid !== 0) ops.push(op('become-root'));
    ops.push(op('unshare', NAMESPACE_BITS.mount.toString(16)), op('sync', 'outside'), ...outside.before);
  } else if (nest !== undefined) ops.push(op('nest', nest.maps));
  else if (isNew(spec, 'user')) ops.push(op('become-root'));
  // Whose namespaces belong to the host must be joined before the power over them is gone.
  const order = outside === undefined ? JOIN_ORDER : [...JOIN_ORDER.filter(type => type !== 'user'), 'user' as const];
  for (const type of order) {
    const path = (spec.linux.namespaces ?? []).find(namespace => namespace.type === type)?.path ?? '';
    if (path === '') continue;
    join(type, path);
    if (type === 'user') ops.push(op('become-root'));
  }
  let forks = (spec.linux.namespaces ?? []).some(one => one.type === 'pid' && (one.path ?? '') !== '');
  if (outside !== undefined && isNew(spec, 'user')) ops.push(op('nest', outside.maps));
  const mount = (spec.linux.namespaces ?? []).find(namespace => namespace.type === 'mount');
  if (mount === undefined) throw new RangeError('a container without a mount namespace of its own is not possible');
  if ((mount.path ?? '') !== '') throw new RangeError(`${mount.path ?? ''}: joining a mount namespace is not possible`);
  if (joinsUser(spec) || nest !== undefined || outside !== undefined) {
    // An account may make these in the joined user namespace alone, so not by the clone.
    const late: readonly NamespaceType[] = ['mount', 'pid', 'network', 'ipc', 'uts'];
    const bits = late.filter(type => isNew(spec, type)).reduce((sum, type) => sum | NAMESPACE_BITS[type], 0);
    ops.push(op('unshare', bits.toString(16)));
    forks ||= isNew(spec, 'pid');
  }
  if (isNew(spec, 'cgroup')) ops.push(op('unshare', NAMESPACE_BITS.cgroup.toString(16)));
  if (isNew(spec, 'network')) ops.push(op('loopback-up'));
  if (forks) ops.push(op('fork'));
  ops.push(op('sync', 'created'));
  // Root cannot be looked at in /proc any more, which those who set up the network must.
  if (nest !== undefined || (outside !== undefined && isNew(spec, 'user'))) ops.push(op('become-root'));
}

export function nameOps(spec: Spec, ops: Op[]): void {
  if (spec.hostname !== undefined && spec.hostname !== '') ops.push(op('hostname', spec.hostname));
  if (spec.domainname !== undefined && spec.domainname !== '') ops.push(op('domainname', spec.domainname));
}

/** Undefined: all is done inside of the container's namespaces. */
function outsideOf(
  plan: CompileInput,
  bundle: Bytes,
  known: { readonly asRoot: boolean; readonly shm: number | undefined },
): Outside | undefined {
  if (plan.outside !== true) return undefined;
  return outsideOps(
    { directories: [], mountedLayers: [], relabels: [], ...plan },
    bundle,
    propagationOps(plan.spec),
    known,
  );
}

function rootOps(plan: CompileInput): Op[] {
  const { root, spec } = plan;
  const ops = [...propagationOps(spec), ...idMapOps(spec)];
  // A map that was joined need not have the account as root, who made the directory.
  if (plan.outer !== undefined && root.kind === 'overlay' && root.upper !== '')
    ops.push(op('chown-tree', root.upper, 0, 0));
  if (root.kind === 'directory') ops.push(op('root-bind', root.path, 'r'));
  else {
    const flags = [...(root.userxattr ? ['userxattr'] : []), ...(root.volatile ? ['volatile'] : [])].join(',');
    ops.push(op('root-overlay', root.upper, root.work, flags, root.context, ...root.lower));
  }
  ops.push(op('check-root', '/dev', '/proc', '/sys'));
  for (const { path, target, uid, gid, record } of plan.copyUps)
    ops.push(op('copy-up', path, target, uid, gid, record));
  for (const one of plan.chowns) ops.push(chownOp(one, one.uid, one.gid));
  for (const { path, label } of plan.relabels ?? []) ops.push(op('label-tree', path, label));
  return ops;
}

/**
 * config-linux.md, rootfsPropagation. Only when the container's mounts are to be seen on the host does the old root stay shared; its
 * own mount is made private even then, since pivot_root(2) wants that.
 */
function propagationOps(spec: Spec): Op[] {
  const wanted = spec.linux.rootfsPropagation ?? '';
  if (wanted === 'shared' || wanted === 'rshared') {
    return [op('propagation', '/', 'rshared'), op('propagation', '/', 'private')];
  }
  return [op('propagation', '/', wanted === 'private' || wanted === 'rprivate' ? 'rprivate' : 'rslave')];
}

function insideOps({ spec, root, keepCwd = false }: CompileInput, process: SpecProcess): Op[] {
  const { uid, gid } = process.user;
  const propagation = spec.linux.rootfsPropagation ?? '';
  const ops: Op[] = [];
  if (process.cwd !== '/' && !keepCwd) ops.push(op('mkdir', process.cwd, '755', uid, gid));
  const attributes = [...(spec.root.readonly === true ? ['ro'] : []), ...(root.nodev ? ['nodev'] : [])];
  if (attributes.length > 0) ops.push(op('root-remount', attributes.join(',')));
  ops.push(...lateOps(spec), op('pivot'));
  if (propagation !== '') ops.push(op('propagation', '/', propagation));
  for (const path of spec.linux.maskedPaths ?? []) ops.push(op('mask', path));
  for (const path of spec.linux.readonlyPaths ?? []) ops.push(op('read-only', path));
  ops.push(op('cwd', process.cwd, keepCwd ? '0' : '755', uid, gid));
  return ops;
}

/** The user namespace is that of another container. */
export function joinsUser(spec: Spec): boolean {
  return (spec.linux.namespaces ?? []).some(one => one.type === 'user' && (one.path ?? '') !== '');
}

export function isNew(spec: Spec, type: NamespaceType): boolean {
  return (spec.linux.namespaces ?? []).some(namespace => namespace.type === type && (namespace.path ?? '') === '');
}
