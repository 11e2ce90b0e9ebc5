import type { Problem } from '../base/problem.ts';
import { ok, type Result } from '../base/result.ts';
import { HostError, type Host } from '../host/host.ts';
import { findUser } from '../host/users.ts';
import type { ImageRecord } from '../image/types.ts';
import { timezonePath } from '../plan/mounts.ts';
import type { RunRequest } from '../plan/request.ts';
import { DEFAULT_PROFILE } from '../plan/security.ts';
import type { SpecIdMapping } from '../plan/spec.ts';
import type { PlanFacts } from '../plan/types.ts';
import { findContainer } from './containers.ts';
import { collectDevices } from './facts-devices.ts';
import { collectIds, freeIds } from './facts-ids.ts';
import { readLimits } from './facts-limits.ts';
import { Failure } from './failure.ts';
import { fieldOf, statusOf } from './own-capabilities.ts';

/** What the caller has found out already. */
export interface FactsRequest {
  readonly request: RunRequest;
  readonly image?: ImageRecord;
  /** Top first. */
  readonly layers: readonly string[];
  readonly layer: string;
  readonly bundle: string;
  readonly volumes: PlanFacts['volumes'];
  readonly secrets: PlanFacts['secrets'];
  readonly controllers: readonly string[];
  readonly notifySocket: boolean;
}

/** Collects what a plan needs to know of the host: reads only, and only what the request makes necessary. */
export function collectFacts(host: Host, known: FactsRequest): Result<PlanFacts, Problem[]> {
  const { request, image } = known;
  const root = request.rootfs === undefined ? known.layers : [request.rootfs.path];
  const profile = readProfile(host, request);
  const watchdog = ownVariable(host, 'WATCHDOG');
  return ok({
    ...collectIds(host, request),
    controllers: known.controllers,
    passwd: readInLayers(host, root, '/etc/passwd'),
    group: readInLayers(host, root, '/etc/group'),
    layers: known.layers,
    layer: known.layer,
    bundle: known.bundle,
    volumes: known.volumes,
    secrets: known.secrets,
    sources: collectSources(host, request),
    devices: collectDevices(host, request),
    etcFiles: true,
    notifySocket: known.notifySocket,
    listen: collectListen(host),
    kernel: kernelOf(host.kernelRelease()),
    // An image that runs here has the machine's architecture.
    architecture: image?.architecture === 'arm64' ? 'arm64' : 'amd64',
    selinux: host.stat('/sys/fs/selinux/enforce') !== undefined,
    apparmor: request.apparmor !== undefined && hasAppArmor(host),
    hostName: host.hostName(),
    proxyEnvironment: request.httpProxy ? collectProxies(host) : [],
    limits: readLimits(host),
    joins: collectJoins(host, request),
    ...joinedMaps(host, request),
    ...(request.hostUsers.length === 0 ? {} : { hostUsers: request.hostUsers.map(word => hostUser(host, word)) }),
    ...(request.userns.kind === 'auto' ? { auto: freeIds(host) } : {}),
    ...(profile === undefined ? {} : { seccompProfile: profile }),
    ...(request.capAdd.length === 0 ? {} : { boundingSet: fieldOf(statusOf(host), 'CapBnd') }),
    ...(watchdog === undefined ? {} : { watchdog }),
  });
}

function hostUser(host: Host, word: string): NonNullable<PlanFacts['hostUsers']>[number] {
  const found = findUser(host, word);
  if (found === undefined) throw new Failure(125, `--hostuser ${word}: there is no such user on this host`);
  return { ...found, fullName: found.fullName ?? '' };
}

/** More than a passwd file ever has; an image must not make us read without end (T34). */
const PASSWD_LIMIT = 4 << 20;

/**
 * A file of the image: the first layer from the top that has it decides. What our account may not read counts as empty;
 * a name is then not found, by name.
 */
export function readInLayers(host: Host, layers: readonly string[], path: string): string {
  for (const layer of layers) {
    try {
      const found = host.readFileInRoot(layer, path, PASSWD_LIMIT);
      if (found === 'whiteout') return '';
      if (found !== 'absent') return found.data;
    } catch (error) {
      if (error instanceof HostError) return '';
      throw error;
    }
  }
  return '';
}

/** The profile's text where the built-in program does not do: another profile, other capabilities, another runtime. */
function readProfile(host: Host, request: RunRequest): string | undefined {
  const { seccomp } = request;
  if (seccomp === 'unconfined') return undefined;
  const custom = request.capAdd.length > 0 || request.capDrop.length > 0 || request.runtime !== undefined;
  if (seccomp === undefined && (!custom || request.privileged)) return undefined;
  try {
    return host.readFileIfExists(seccomp ?? DEFAULT_PROFILE, 16 << 20);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

function collectSources(host: Host, request: RunRequest): PlanFacts['sources'] {
  const sources: Record<string, 'directory' | 'file' | 'other'> = {};
  const add = (path: string): void => {
    const kind = statOf(host, path)?.kind;
    if (kind !== undefined) sources[path] = kind === 'directory' || kind === 'file' ? kind : 'other';
  };
  for (const mount of request.mounts) if (mount.kind === 'bind') add(mount.source);
  if (request.timezone !== undefined) add(timezonePath(request.timezone));
  return sources;
}

/** Kind of what is there; a path that we may not reach counts as absent. */
function statOf(host: Host, path: string): ReturnType<Host['stat']> {
  try {
    return host.stat(path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** sd_listen_fds(3): descriptors meant for this process. */
function collectListen(host: Host): PlanFacts['listen'] {
  const count = Number(host.environment('LISTEN_FDS') ?? '0');
  const ours = host.environment('LISTEN_PID') === String(host.pid);
  if (!ours || !Number.isInteger(count) || count <= 0) return { count: 0, names: '' };
  return { count, names: host.environment('LISTEN_FDNAMES') ?? '' };
}

/** WATCHDOG_USEC, when WATCHDOG_PID is ours or absent (sd_watchdog_enabled(3)). */
function ownVariable(host: Host, prefix: 'WATCHDOG'): string | undefined {
  const pid = host.environment(`${prefix}_PID`);
  if (pid !== undefined && pid !== String(host.pid)) return undefined;
  return host.environment(`${prefix}_USEC`);
}

function kernelOf(release: string): PlanFacts['kernel'] {
  const [major = 0, minor = 0] = release.split('.').map(part => Number.parseInt(part, 10));
  return { major, minor };
}

function hasAppArmor(host: Host): boolean {
  return host.readFileIfExists('/sys/module/apparmor/parameters/enabled')?.startsWith('Y') === true;
}

function collectProxies(host: Host): string[] {
  const out: string[] = [];
  for (const name of ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy']) {
    for (const key of [name, name.toUpperCase()]) {
      const value = host.environment(key);
      if (value !== undefined) out.push(`${key}=${value}`);
    }
  }
  return out;
}

/** Of a container that has a user namespace of its own. */
function joinedMaps(host: Host, request: RunRequest): Pick<PlanFacts, 'joinedMaps'> {
  const target = request.userns.kind === 'join' ? request.userns.target : '';
  const state = target.startsWith('container:') ? findContainer(host, target.slice(10))?.state : undefined;
  if (state === undefined || state.uidMap.length === 0) return {};
  const lines = (map: typeof state.uidMap): SpecIdMapping[] =>
    map.map(([containerID, hostID, size]) => ({ containerID, hostID, size }));
  return { joinedMaps: { uid: lines(state.uidMap), gid: lines(state.gidMap) } };
}

const NAMESPACE_FILES = { pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts', cgroup: 'cgroup', user: 'user' } as const;

/** NSFS_MAGIC of statfs(2): the kernel's own files of namespaces, and what they are mounted on. */
const NSFS = 0x6e736673;

/** The path of `ns:PATH`. */
function requireNamespace(host: Host, mode: string): string {
  const path = mode.slice(3);
  if (host.fsType(path) === NSFS) return path;
  throw new Failure(125, `${path}: not a namespace; write ns:/proc/PID/ns/KIND, or what it is mounted on`);
}

/** Namespace files of the running containers that the request names. */
function collectJoins(host: Host, request: RunRequest): PlanFacts['joins'] {
  const { userns, pid, ipc, uts, cgroupns, networks } = request;
  const user = userns.kind === 'join' ? userns.target : '';
  const modes = { pid, ipc, uts, cgroup: cgroupns, network: networks[0] ?? '', user };
  const joins: Record<string, string> = {};
  for (const [type, mode] of Object.entries(modes) as [keyof typeof NAMESPACE_FILES, string][]) {
    if (mode.startsWith('ns:')) joins[`${type} ${mode}`] = requireNamespace(host, mode);
    if (!mode.startsWith('container:')) continue;
    const found = findContainer(host, mode.slice(10));
    const state = found?.state;
    if (found === undefined || state === undefined || state.pid <= 0 || host.startTime(state.pid) !== state.startTime)
      continue;
    joins[`${type} ${mode}`] = `/proc/${state.pid}/ns/${NAMESPACE_FILES[type]}`;
  }
  return joins;
}
