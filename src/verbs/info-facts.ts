import { statfsSync } from 'node:fs';
import { arch, cpus, freemem, totalmem, uptime } from 'node:os';
import { decodeText } from '../base/text.ts';
import { version } from '../base/version.ts';
import type { Bytes, Host } from '../host/host.ts';
import { listedStores } from '../image/additional.ts';
import { ImageError } from '../image/error.ts';
import { listImages } from '../image/images.ts';
import { storeDirectory } from '../image/store.ts';
import { storeMap } from '../image/store-map.ts';
import type { StoreMap } from '../image/types.ts';
import type { Command } from '../command/types.ts';
import { runtimeDirectory } from '../run/directories.ts';
import { containerRows } from './container-rows.ts';
import { programPath } from './doctor-check.ts';

type Json = Record<string, unknown>;

/** What podman-info(1) says of a host, as far as it has a meaning here; sizes in bytes. */
export function factsOf(host: Host, command: Command): Json {
  return { host: hostFacts(host), store: storeFacts(host, command), version: versionFacts() };
}

export function versionFacts(): Json {
  return { Version: version(), Os: 'linux', OsArch: `linux/${architecture()}`, NodeVersion: process.version };
}

/** The names that images use (image-spec, config.md, "architecture"). */
function architecture(): string {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  return names[arch()] ?? arch();
}

function hostFacts(host: Host): Json {
  const controllers = host.readFileIfExists('/sys/fs/cgroup/cgroup.controllers');
  const memory = host.readFileIfExists('/proc/meminfo') ?? '';
  const swap = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1] ?? 0) * 1024;
  return {
    arch: architecture(),
    cgroupControllers: (controllers ?? '').split(/\s+/).filter(word => word !== ''),
    cgroupManager: 'systemd',
    cgroupVersion: controllers === undefined ? 'v1' : 'v2',
    cpus: cpus().length,
    distribution: distribution(host),
    eventLogger: 'journald',
    hostname: decodeText(host.hostName()),
    idMappings: idMappings(host),
    kernel: decodeText(host.kernelRelease()),
    logDriver: 'journald',
    memFree: freemem(),
    memTotal: totalmem(),
    networkBackend: 'netavark',
    networkBackendInfo: {
      backend: 'netavark',
      path: pathOf(host, 'netavark'),
      dns: { path: pathOf(host, 'aardvark-dns') },
    },
    ociRuntime: { name: 'berth', path: '/usr/bin/berth', version: version() },
    otherRuntimes: present(host, ['crun', 'runc', 'runsc', 'kata-runtime']),
    os: 'linux',
    pasta: { executable: pathOf(host, 'pasta') },
    idMapPrograms: present(host, ['newuidmap', 'newgidmap']),
    rootlessNetworkCmd: 'pasta',
    security: security(host),
    swapFree: swap('SwapFree'),
    swapTotal: swap('SwapTotal'),
    uptime: Math.floor(uptime()),
  };
}

const pathOf = (host: Host, name: string): string => decodeText(programPath(host, name) ?? '');

function present(host: Host, names: readonly string[]): Json {
  const found = names.map((name): [string, string] => [name, pathOf(host, name)]);
  return Object.fromEntries(found.filter(([, path]) => path !== ''));
}

/** os-release(5). */
function distribution(host: Host): Json {
  const text = decodeText(
    host.readFileIfExists('/etc/os-release') ?? host.readFileIfExists('/usr/lib/os-release') ?? '',
  );
  const value = (key: string): string => new RegExp(`^${key}="?([^"\n]*)`, 'm').exec(text)?.[1] ?? '';
  return { distribution: value('ID'), version: value('VERSION_ID'), codename: value('VERSION_CODENAME') };
}

/** How ids of containers that ask for nothing else are mapped; empty for root, and for an account that has no ids to map. */
function idMappings(host: Host): Json {
  const lines = (map: StoreMap['uid']): Json[] =>
    map.map(({ inside, outside, count }) => ({ container_id: inside, host_id: outside, size: count }));
  try {
    const { uid, gid } = storeMap(host);
    return { uidmap: lines(uid), gidmap: lines(gid) };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { uidmap: [], gidmap: [] };
  }
}

function security(host: Host): Json {
  const actions = host.readFileIfExists('/proc/sys/kernel/seccomp/actions_avail');
  return {
    apparmorEnabled: host.readFileIfExists('/sys/module/apparmor/parameters/enabled')?.startsWith('Y') === true,
    rootless: host.uid !== 0,
    seccompEnabled: actions !== undefined,
    selinuxEnabled: host.stat('/sys/fs/selinux/enforce') !== undefined,
  };
}

function storeFacts(host: Host, command: Command): Json {
  const store = storeDirectory(host);
  const rows = containerRows(host, { ...command, options: [] });
  const running = rows.filter(row => row.running && !row.paused).length;
  const paused = rows.filter(row => row.paused).length;
  const others = listedStores(host).map(one =>
    one.fault === undefined ? one.path : `${one.path} (not read: ${one.fault})`,
  );
  return {
    containerStore: { number: rows.length, paused, running, stopped: rows.length - running - paused },
    graphDriverName: 'overlay',
    graphRoot: decodeText(store),
    ...space(host, store),
    imageStore: { number: listImages(host, store).length },
    additionalImageStores: others.map(decodeText),
    runRoot: decodeText(runtimeDirectory(host)),
    volumePath: decodeText(`${store}/volumes`),
  };
}

/** Of the file system that the store is on; nothing while there is no store. */
function space(host: Host, store: Bytes): Json {
  if (host.stat(store) === undefined) return {};
  const { bsize, blocks, bfree } = statfsSync(Buffer.from(store, 'latin1'));
  return { graphRootAllocated: bsize * blocks, graphRootUsed: bsize * (blocks - bfree) };
}
