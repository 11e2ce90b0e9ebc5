import { DEFAULT_CAPABILITIES } from '../plan/capabilities.ts';
import type { NamespaceType, Spec, SpecMount } from '../plan/spec.ts';
import type { ResolverRecord } from '../network/resolvers.ts';
import type { ContainerState } from '../run/state.ts';
import type { RestartPolicy } from './unit-end.ts';

type Json = Record<string, unknown>;

export interface HostFacts {
  readonly state: ContainerState;
  readonly spec: Spec;
  /** As in `NetworkSettings`. */
  readonly ports: Json;
  /** As in `Mounts`. */
  readonly mounts: readonly Mount[];
  readonly restart: RestartPolicy;
}

/** podman-inspect(1), an entry of `Mounts`. */
export interface Mount {
  readonly Type: string;
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Options: readonly string[];
  readonly RW: boolean;
  readonly [key: string]: unknown;
}

/** podman-inspect(1), `HostConfig`: how it is confined, and what it has of the host. */
export function hostConfigOf({ state, spec, ports, mounts, restart }: HostFacts): Json {
  const { process, linux } = spec;
  const bounding = process?.capabilities?.bounding ?? [];
  const mode = (type: NamespaceType): string => namespaceMode(spec, type);
  return {
    Binds: mounts.map(one => [one.Name ?? one.Source, one.Destination, one.Options.join(',')].join(':')),
    CgroupManager: state.cgroup === '' ? 'disabled' : 'systemd',
    CgroupMode: mode('cgroup'),
    CgroupParent: state.cgroup.slice(0, Math.max(state.cgroup.lastIndexOf('/'), 0)),
    Cgroup: '',
    Cgroups: state.cgroup === '' ? 'disabled' : 'default',
    ContainerIDFile: state.asked?.cidfile ?? '',
    LogConfig: { Type: state.logDriver, Config: null, Path: state.logPath ?? '', Tag: '', Size: '0B' },
    NetworkMode: state.network.kind,
    PortBindings: ports,
    RestartPolicy: restart,
    AutoRemove: state.remove,
    AutoRemoveImage: state.removeImage ?? false,
    VolumeDriver: '',
    VolumesFrom: state.asked?.volumesFrom ?? null,
    ...resolverOf(state),
    ExtraHosts: state.asked?.hosts ?? [],
    Links: null,
    PublishAllPorts: state.asked?.publishAll ?? false,
    ConsoleSize: [0, 0],
    Isolation: '',
    DiskQuota: 0,
    Annotations: spec.annotations ?? {},
    CapAdd: bounding.filter(name => !DEFAULT_CAPABILITIES.includes(name)),
    CapDrop: DEFAULT_CAPABILITIES.filter(name => !bounding.includes(name)),
    GroupAdd: (process?.user.additionalGids ?? []).map(String),
    IpcMode: mode('ipc'),
    PidMode: mode('pid'),
    UTSMode: mode('uts'),
    UsernsMode: mode('user') === 'host' ? '' : mode('user'),
    Devices: devicesOf(spec),
    OomScoreAdj: process?.oomScoreAdj ?? 0,
    Privileged:
      linux.seccomp === undefined && (linux.maskedPaths ?? []).length === 0 && bounding.includes('CAP_SYS_ADMIN'),
    ReadonlyRootfs: spec.root.readonly ?? false,
    Runtime: runtimeOf(state),
    SecurityOpt: securityOf(spec),
    ShmSize: shmSize(spec.mounts ?? []),
    Tmpfs: tmpfsOf(spec.mounts ?? []),
    Ulimits: (process?.rlimits ?? []).map(({ type, soft, hard }) => ({ Name: type, Soft: soft, Hard: hard })),
    ...resourcesOf(spec),
    ...UNLIMITED,
  };
}

/** What no container here has a limit of: systemd's directives have those of IO. */
const UNLIMITED: Json = {
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuCount: 0,
  CpuPercent: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  IOMaximumBandwidth: 0,
  IOMaximumIOps: 0,
  KernelMemory: 0,
  MemorySwappiness: 0,
  OomKillDisable: false,
};

/** `--dns…` as given. */
function resolverOf({ network }: ContainerState): Json {
  const { wishes } = (network.resolver ?? {}) as Partial<ResolverRecord>;
  return { Dns: wishes?.dns ?? [], DnsOptions: wishes?.dnsOptions ?? [], DnsSearch: wishes?.dnsSearch ?? [] };
}

export const runtimeOf = (state: ContainerState): string => (state.runtime === '' ? 'berth' : state.runtime);

/** `private`, `host`, or the namespace that was joined. */
function namespaceMode(spec: Spec, type: NamespaceType): string {
  const found = (spec.linux.namespaces ?? []).find(one => one.type === type);
  if (found === undefined) return 'host';
  return found.path === undefined ? 'private' : `ns:${found.path}`;
}

/** Zero where there is no limit, as the peer has it. */
function resourcesOf(spec: Spec): Json {
  const { memory = {}, cpu = {}, pids } = spec.linux.resources ?? {};
  const { quota = 0, period = 0 } = cpu;
  return {
    Memory: memory.limit ?? 0,
    MemoryReservation: memory.reservation ?? 0,
    MemorySwap: memory.swap ?? 0,
    CpuShares: cpu.shares ?? 0,
    CpuPeriod: period,
    CpuQuota: quota,
    NanoCpus: quota > 0 && period > 0 ? Math.round((quota / period) * 1e9) : 0,
    CpusetCpus: cpu.cpus ?? '',
    CpusetMems: cpu.mems ?? '',
    PidsLimit: pids?.limit ?? 0,
    CgroupConf: spec.linux.resources?.unified ?? {},
  };
}

/** Devices of every container (runtime-spec, config-linux.md, "Default Devices"). */
const USUAL = /^\/dev\/(null|zero|full|random|urandom|tty|console|ptmx)$/;

function devicesOf(spec: Spec): Json[] {
  const devices = (spec.linux.devices ?? []).filter(({ path }) => !USUAL.test(path));
  return devices.map(({ path }) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: '' }));
}

function securityOf({ process, linux }: Spec): string[] {
  const words = process?.noNewPrivileges === true ? ['no-new-privileges'] : [];
  if (process?.apparmorProfile !== undefined) words.push(`apparmor=${process.apparmorProfile}`);
  if (linux.seccomp === undefined) words.push('seccomp=unconfined');
  return words;
}

function shmSize(mounts: readonly SpecMount[]): number {
  const options = mounts.find(one => one.destination === '/dev/shm')?.options ?? [];
  const size = options.find(option => option.startsWith('size='))?.slice('size='.length) ?? '0';
  const unit = { k: 1 << 10, m: 1 << 20, g: 1 << 30 }[size.slice(-1).toLowerCase()] ?? 1;
  return Number.parseInt(size, 10) * unit;
}

function tmpfsOf(mounts: readonly SpecMount[]): Record<string, string> {
  const own = mounts.filter(one => one.type === 'tmpfs' && !/^\/(dev|proc|sys)(\/|$)/.test(one.destination));
  return Object.fromEntries(own.map(one => [one.destination, (one.options ?? []).join(',')]));
}
