/**
 * Theory of operation: `--runtime crun`, `runc` or a path. The same bundle is run by another OCI runtime, in the foreground, as the unit's
 * main process. What OCI has no word for is done by our stage before: in a user namespace with the container's map and a mount namespace of
 * its own it mounts the overlay at BUNDLE/rootfs, fills fresh volumes and joins nothing else; the network namespace is the stage's, so that our
 * network code sets it up. Then it becomes the other runtime, which is root there and makes the remaining namespaces. Its control group
 * is ours, with our limits; nothing is left of the mount when its namespace ends.
 */
import type { Host } from '../host/host.ts';
import { op } from '../ops/encode.ts';
import { chownOp } from '../ops/mounts.ts';
import { joinData } from '../ops/mount-options.ts';
import type { Op } from '../ops/ops.ts';
import type { NamespaceType, Spec } from '../plan/spec.ts';
import { sharedLabel } from '../plan/security.ts';
import type { Plan } from '../plan/types.ts';
import type { RunRequest } from '../plan/request.ts';
import { Failure } from './failure.ts';

/** The runtime that a request names; empty: the built-in one. */
export function foreignRuntime(request: RunRequest): string {
  const { runtime = '' } = request;
  if (runtime === '' || runtime === 'berth') return '';
  if (request.detach && request.tty) throw new Failure(125, `--runtime ${runtime}: --tty works in the foreground only`);
  return runtime;
}

/** config.json for the other runtime: what the stage has done is taken out. */
export function foreignSpec(plan: Plan, bundle: string): Spec {
  const { spec } = plan;
  const { uidMappings: _uid, gidMappings: _gid, cgroupsPath: _path, resources, ...linux } = spec.linux;
  const kept = (linux.namespaces ?? []).filter(
    one => one.type !== 'user' && !(one.type === 'network' && isNewPath(one.path)),
  );
  return {
    ...spec,
    // The other runtime has no other way: config.json is 0600, below /run and gone with the container.
    ...(spec.process === undefined
      ? {}
      : { process: { ...spec.process, env: [...spec.process.env, ...plan.secretEnvironment] } }),
    root: { ...spec.root, path: rootOf(plan, bundle) },
    linux: {
      ...linux,
      sysctl: Object.fromEntries(Object.entries(linux.sysctl ?? {}).filter(([key]) => !isNetworkKey(key))),
      namespaces: kept,
      ...(resources?.devices === undefined ? {} : { resources: { devices: resources.devices } }),
    },
  };
}

/** What the stage creates: the user, mount and network namespaces of the plan. */
export function stageSpec(plan: Plan): Spec {
  const { spec } = plan;
  const own: readonly NamespaceType[] = ['user', 'mount', 'network'];
  const namespaces = (spec.linux.namespaces ?? []).filter(one => own.includes(one.type) && isNewPath(one.path));
  const joined = (spec.linux.namespaces ?? []).find(one => one.type === 'user' && !isNewPath(one.path));
  if (joined !== undefined) throw new Failure(125, "--runtime: another container's user namespace cannot be joined");
  return { ...spec, linux: { ...spec.linux, namespaces } };
}

export interface ForeignPlace {
  readonly bundle: string;
  readonly foreign: string;
  /** Where the other runtime sends the terminal; empty: nowhere. */
  readonly console: string;
}

/** The stage's list; it ends in the other runtime. */
export function foreignOps(plan: Plan, request: RunRequest, place: ForeignPlace, shm?: number): Op[] {
  const { bundle, foreign, console } = place;
  const isNew = (type: NamespaceType): boolean =>
    (plan.spec.linux.namespaces ?? []).some(one => one.type === type && isNewPath(one.path));
  const root = rootOf(plan, bundle);
  const ops: Op[] = [];
  if (isNew('user')) ops.push(op('become-root'));
  if (isNew('network')) ops.push(op('loopback-up'));
  ops.push(op('sync', 'created'), op('propagation', '/', 'rslave'), op('root-bind', '/', 'r'));
  if (plan.root.kind === 'overlay') ops.push(overlayOp(plan.root, root));
  if (shm !== undefined) ops.push(op('bind-fd', 0, `${bundle}/shm`, ''));
  for (const { path, target, uid, gid, record } of plan.copyUps)
    ops.push(op('copy-up', path, target === '' ? '' : `${root}${target}`, uid, gid, record));
  for (const one of plan.chowns) ops.push(chownOp(one, one.uid, one.gid));
  for (const { path, label } of plan.relabels) ops.push(op('label-tree', path, label));
  for (const [key, value] of Object.entries(plan.spec.linux.sysctl ?? {})) {
    // Without a pid namespace of its own the stage may have no fresh procfs to write our default settings through.
    const wanted = request.sysctls[key] !== undefined || !isNew('user');
    if (wanted && isNew('network') && isNetworkKey(key)) ops.push(op('sysctl', key, value));
  }
  ops.push(op('session'), op('pivot'), op('sync', 'ready'));
  ops.push(...runtimeOps(bundle, foreign, ['run', '--bundle', bundle, ...consoleWords(console), request.name]));
  return ops;
}

/** Options of `run` and `exec`. */
export function consoleWords(path: string): string[] {
  return path === '' ? [] : ['--console-socket', path];
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * `--root`: the other runtime's state goes with the bundle. crun would ask systemd for a group; runc finds out that it may not. Those that
 * write a log and a pid file that we know are watched, in `directory`, so that a start that fails is none and has the status it has with us.
 */
export function runtimeOps(
  bundle: string,
  runtime: string,
  [verb = '', ...words]: readonly string[],
  directory = bundle,
): Op[] {
  const kind = runtime.slice(runtime.lastIndexOf('/') + 1);
  const groups = kind === 'crun' ? ['--cgroup-manager=disabled'] : [];
  const watched = WATCHED.includes(kind);
  const watch = watched ? [op('watch', directory)] : [];
  const logged = watched ? ['--log', `${directory}/runtime.log`] : [];
  const started = watched ? ['--pid-file', `${directory}/runtime.pid`] : [];
  return [
    op('environment', `PATH=${PATH}`),
    ...watch,
    op('exec', PATH, runtime, '--root', `${bundle}/runtime`, ...logged, ...groups, verb, ...started, ...words),
  ];
}

const WATCHED = ['crun', 'runc'];

/** The last error that the other runtime logged in `directory`: crun's is a plain line, runc's has `msg="…"`. */
export function runtimeError(host: Host, directory: string): string {
  const lines = (host.readFileIfExists(`${directory}/runtime.log`) ?? '').split('\n').filter(line => line !== '');
  const last = lines.at(-1) ?? 'the other runtime failed';
  return /\bmsg="((?:[^"\\]|\\.)*)"/.exec(last)?.[1]?.replace(/\\(.)/g, '$1') ?? last;
}

function overlayOp(root: Extract<Plan['root'], { kind: 'overlay' }>, target: string): Op {
  if (root.idMapped)
    throw new Failure(125, '--runtime: layers with another id map work with the built-in runtime alone');
  const data = [
    `lowerdir=${root.lower.join(':')}`,
    ...(root.upper === '' ? [] : [`upperdir=${root.upper}`, `workdir=${root.work}`]),
    ...(root.userxattr ? ['userxattr'] : []),
    ...(root.volatile ? ['volatile'] : []),
    ...(root.context === '' ? [] : [`context=${sharedLabel(root.context)}`]),
  ];
  return op('mount', 'overlay', 'overlay', target, '', joinData(data));
}

function rootOf(plan: Plan, bundle: string): string {
  return plan.root.kind === 'directory' ? plan.root.path : `${bundle}/rootfs`;
}

/** The network namespace is the stage's, so its settings are, too. */
function isNetworkKey(key: string): boolean {
  return key.startsWith('net.');
}

function isNewPath(path: string | undefined): boolean {
  return path === undefined || path === '';
}
