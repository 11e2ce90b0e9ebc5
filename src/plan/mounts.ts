import { hasUserNamespace, refuse, type IdPlan, type PlanContext } from './context.ts';
import { NOTIFY_TARGET } from './environment.ts';
import { toHost } from './id-maps.ts';
import type { NamespacePlan } from './namespaces.ts';
import { cleanPath } from './parse-values.ts';
import { isUnmasked } from './paths.ts';
import { planMount, type MountPlan } from './mount.ts';
import { planRelabel } from './security.ts';
import type { SpecMount } from './spec.ts';
import type { UserPlan } from './user.ts';

/** Podman's default (containers.conf(5), shm_size): 65536 kB. */
export const SHM_SIZE = 65536000;

export interface MountSubject {
  readonly namespaces: NamespacePlan;
  readonly systemd: boolean;
  readonly user: UserPlan;
  readonly devices: readonly SpecMount[];
  readonly secrets: readonly SpecMount[];
}

/**
 * All mounts in the order in which they are made: our own (Podman 5.4's, with its options), then those of the request, the image's
 * volumes and our files, by depth, so that a parent never covers a child. One of the request replaces one of ours on the same target, and
 * all below /dev when it is on /dev.
 */
export function planMounts(
  context: PlanContext,
  ids: IdPlan,
  { namespaces, systemd, user, devices, secrets }: MountSubject,
): MountPlan {
  const plan: MountPlan = { mounts: [], copyUps: [], chowns: [], relabels: [], directories: [], layers: [] };
  for (const request of context.request.mounts) planMount(context, ids, request, plan);
  planImageVolumes(context, ids, plan);
  const taken = new Set(plan.mounts.map(mount => mount.destination));
  const free = (mount: SpecMount): boolean => !taken.has(mount.destination);
  const extra = [...tmpfsMounts(context, systemd), ...fileMounts(context, namespaces, user)].filter(free);
  const base = baseMounts(context, ids, namespaces, systemd)
    .filter(free)
    .filter(mount => !(taken.has('/dev') && mount.destination.startsWith('/dev/')));
  const rest = [...plan.mounts, ...extra, ...devices.filter(free), ...secrets.filter(free)];
  return {
    ...plan,
    relabels: [...plan.relabels, ...ownRelabels(context, rest)],
    mounts: [...base, ...sortByDepth(rest)],
  };
}

/** What we have written for the container is for it alone; the /dev/shm of another one has the label of its mount. */
function ownRelabels(context: PlanContext, mounts: readonly SpecMount[]): MountPlan['relabels'] {
  const { bundle } = context.facts;
  return mounts
    .flatMap(({ source = '' }) => (source.startsWith(`${bundle}/`) && source !== `${bundle}/shm` ? [source] : []))
    .flatMap(path => planRelabel(context, path, 'private'));
}

/** Stable: of two on one level the first stays first. */
function sortByDepth(mounts: readonly SpecMount[]): SpecMount[] {
  const depth = (mount: SpecMount): number => mount.destination.split('/').length;
  return [...mounts].sort((a, b) => depth(a) - depth(b));
}

function baseMounts(context: PlanContext, ids: IdPlan, namespaces: NamespacePlan, systemd: boolean): SpecMount[] {
  const { request } = context;
  const readOnlyDev = request.readOnly && !request.readOnlyTmpfs;
  const pts = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'];
  // Group tty; a map without it cannot give it away.
  if (!ids.own || toHost(ids.gid, 5) !== undefined) pts.push('gid=5');
  return [
    procMount(context, ids, namespaces),
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      // `ro` comes last: the runtime makes the rest in it first.
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k', ...(readOnlyDev ? ['ro'] : [])],
    },
    sysMount(context, ids, namespaces),
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: pts },
    ...ipcMounts(context, ids, readOnlyDev),
    cgroupMount(context, systemd),
  ];
}

/** A fresh proc; where the kernel refuses one (the host's processes, seen from a user namespace) our stage takes the host's. */
function procMount(context: PlanContext, ids: IdPlan, namespaces: NamespacePlan): SpecMount {
  const shared = context.foreign && hasUserNamespace(ids) && !namespaces.own.has('pid');
  if (shared) {
    const options = ['rbind', 'nosuid', 'noexec', 'nodev', 'rw', 'rprivate'];
    return { destination: '/proc', type: 'bind', source: '/proc', options };
  }
  const options = ['nosuid', 'noexec', 'nodev', ...context.request.procOptions];
  return { destination: '/proc', type: 'proc', source: 'proc', options };
}

function sysMount(context: PlanContext, ids: IdPlan, namespaces: NamespacePlan): SpecMount {
  const { request } = context;
  const shared = context.foreign && hasUserNamespace(ids) && !namespaces.own.has('network');
  const access = request.privileged ? 'rw' : 'ro';
  if (shared) {
    const options = ['rprivate', 'nosuid', 'noexec', 'nodev', access, 'rbind'];
    return { destination: '/sys', type: 'bind', source: '/sys', options };
  }
  return { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] };
}

/** Message queues and shared memory: those of the IPC namespace. */
function ipcMounts(context: PlanContext, ids: IdPlan, readOnly: boolean): SpecMount[] {
  const { request } = context;
  const safe = ['nosuid', 'noexec', 'nodev'];
  const host = request.ipc === 'host';
  const mqueue: SpecMount =
    host && hasUserNamespace(ids)
      ? { destination: '/dev/mqueue', type: 'bind', source: '/dev/mqueue', options: ['bind', ...safe] }
      : { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: safe };
  if (request.ipc === 'none') return [mqueue];
  const more = readOnly ? [...safe, 'ro'] : safe;
  // The launcher fetches it from the other container's mounts.
  const joined = request.ipc.startsWith('container:') ? `${context.facts.bundle}/shm` : undefined;
  if (host || joined !== undefined) {
    const source = joined ?? '/dev/shm';
    return [mqueue, { destination: '/dev/shm', type: 'bind', source, options: ['bind', 'rprivate', ...more] }];
  }
  const size = request.shmSize ?? SHM_SIZE;
  const options = [...more, 'mode=1777', ...(size === 0 ? [] : [`size=${size}`])];
  return [mqueue, { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options }];
}

/** Read-only but for systemd inside; without a cgroup namespace of its own in any case (T10). */
function cgroupMount(context: PlanContext, systemd: boolean): SpecMount {
  const { request } = context;
  const opened = systemd || request.privileged || isUnmasked(request.unmask, '/sys/fs/cgroup');
  const writable = opened && request.cgroupns === 'private';
  const options = ['rprivate', 'nosuid', 'noexec', 'nodev', 'relatime', writable ? 'rw' : 'ro'];
  return { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options };
}

const TMPFS = ['rw', 'rprivate', 'nosuid', 'nodev', 'tmpcopyup'];

/** Writable directories of a read-only root, and those systemd wants for itself. */
function tmpfsMounts(context: PlanContext, systemd: boolean): SpecMount[] {
  const { request } = context;
  const paths = new Set<string>();
  if (request.readOnly && request.readOnlyTmpfs) for (const path of ['/run', '/tmp', '/var/tmp']) paths.add(path);
  if (systemd) for (const path of ['/run', '/run/lock', '/tmp', '/var/log/journal']) paths.add(path);
  return [...paths].map(destination => ({ destination, type: 'tmpfs', source: 'tmpfs', options: [...TMPFS] }));
}

/** Files of the bundle and of the host: names, marker, time zone, the socket for notifications. */
function fileMounts(context: PlanContext, namespaces: NamespacePlan, user: UserPlan): SpecMount[] {
  const { request, facts } = context;
  const options = ['bind', 'rprivate'];
  if (request.readOnly) options.push('ro', 'nosuid', 'noexec', 'nodev');
  const mounts: SpecMount[] = [];
  const add = (destination: string, source: string): void => {
    mounts.push({ destination, type: 'bind', source, options: [...options] });
  };
  if (facts.etcFiles) {
    if (!request.noHosts) add('/etc/hosts', `${facts.bundle}/hosts`);
    const isolated = namespaces.networkMode === 'none' || request.dns.includes('none');
    if (!isolated) add('/etc/resolv.conf', `${facts.bundle}/resolv.conf`);
    if (!request.noHostname) add('/etc/hostname', `${facts.bundle}/hostname`);
    add('/run/.containerenv', `${facts.bundle}/containerenv`);
  }
  if (user.passwd !== undefined) add('/etc/passwd', `${facts.bundle}/passwd`);
  if (user.group !== undefined) add('/etc/group', `${facts.bundle}/group`);
  if (facts.notifySocket) add(NOTIFY_TARGET, `${facts.bundle}/notify`);
  if (request.timezone !== undefined) planTimezone(context, mounts);
  return mounts;
}

/** The rules of a time zone, from the host's data; `local` is the host's own zone. */
export function timezonePath(zone: string): string {
  return zone === 'local' ? '/etc/localtime' : `/usr/share/zoneinfo/${zone}`;
}

function planTimezone(context: PlanContext, mounts: SpecMount[]): void {
  const zone = context.request.timezone ?? '';
  const source = timezonePath(zone);
  if (context.facts.sources[source] !== 'file') {
    refuse(
      context,
      '--tz',
      `--tz ${zone}: ${source} is not there`,
      'install the package tzdata, or use a name from there',
    );
    return;
  }
  const options = ['bind', 'rprivate', 'ro', 'nosuid', 'noexec', 'nodev'];
  mounts.push({ destination: '/etc/localtime', type: 'bind', source, options });
}

/** Volumes that the image declares and no mount of the request covers. */
function planImageVolumes(context: PlanContext, ids: IdPlan, plan: MountPlan): void {
  const { request, image } = context;
  if (request.imageVolumes === 'ignore') return;
  for (const declared of image?.volumes ?? []) {
    // A relative path is meant below the root; `..` leads nowhere (T15).
    const target = cleanPath(declared.startsWith('/') ? declared : `/${declared}`);
    if (target === undefined || target === '/' || target === '/proc' || target === '/sys') continue;
    if (plan.mounts.some(mount => mount.destination === target)) continue;
    if (request.imageVolumes === 'tmpfs') {
      plan.mounts.push({ destination: target, type: 'tmpfs', source: 'tmpfs', options: [...TMPFS] });
    } else planImageVolume(context, ids, declared, target, plan);
  }
}

function planImageVolume(context: PlanContext, ids: IdPlan, declared: string, target: string, plan: MountPlan): void {
  const options = { readOnly: false, chown: false, copy: true, overlay: false, recursive: true, flags: [] };
  planMount(context, ids, { kind: 'volume', source: '', target, options }, plan, `anonymous:${declared}`);
}
