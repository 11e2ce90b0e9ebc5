import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { findContainer, isRunning } from './containers.ts';
import { Failure } from './failure.ts';
import { requirePod, sharedBy, type PodRecord, type Shared } from './pods.ts';

/** What belongs to the pod as far as that is shared: a member that brings its own contradicts it. */
const POD_OPTIONS: Readonly<Record<string, Shared | 'user'>> = {
  publish: 'net',
  'publish-all': 'net',
  network: 'net',
  hostname: 'uts',
  ip: 'net',
  ip6: 'net',
  'mac-address': 'net',
  'network-alias': 'net',
  userns: 'user',
  uidmap: 'user',
  gidmap: 'user',
  dns: 'net',
  'dns-search': 'net',
  'dns-option': 'net',
  uts: 'uts',
  ipc: 'ipc',
  'shm-size': 'ipc',
};

export const isPodOption = (name: string): boolean => Object.hasOwn(POD_OPTIONS, name);

/** `--pod NAME`, or the id that `pod create --pod-id-file` has written. */
function podNamed(host: Host, command: Command): string | undefined {
  const use = command.options.findLast(one => one.name === 'pod' || one.name === 'pod-id-file');
  return use?.name === 'pod-id-file' ? podIdIn(host, use.value) : use?.value;
}

export function podIdIn(host: Host, file: string): string {
  const text = host.readFileIfExists(file, 4096);
  if (text === undefined) throw new Failure(125, `--pod-id-file ${file}: no such file`);
  return text.trim();
}

/** The command line of a member with the volumes of its pod, and that pod; undefined without `--pod`. */
export function podOf(host: Host, store: string, command: Command): { pod: PodRecord; command: Command } | undefined {
  const name = podNamed(host, command);
  if (name === undefined) return undefined;
  const pod = requirePod(host, store, name);
  const shared = sharedBy(pod);
  const own = command.options.find(({ name: option }) => {
    const namespace = POD_OPTIONS[option];
    return namespace === 'user' || (namespace !== undefined && shared.includes(namespace));
  });
  if (own !== undefined) {
    throw new Failure(
      125,
      `--${own.name}: belongs to the pod ${pod.name}; give it to the pod instead of the container`,
    );
  }
  const volumes = pod.options.filter(use => use.name === 'volume');
  return { pod, command: { ...command, options: [...volumes, ...command.options] } };
}

/** A member has the namespaces of the pod's holder: network, IPC, host name, and its users where it has some. */
export function joinPod(host: Host, request: RunRequest, pod: PodRecord): RunRequest {
  const holder = findContainer(host, pod.infraName)?.state;
  if (holder === undefined || !isRunning(host, holder)) {
    const how = pod.unit === '' ? `berth pod start ${pod.name}` : `systemctl start ${pod.unit}`;
    throw new Failure(125, `--pod ${pod.name}: the pod does not run; start it with '${how}'`);
  }
  const target = `container:${pod.infraName}`;
  const shared = sharedBy(pod);
  const hostname = pod.options.findLast(use => use.name === 'hostname')?.value;
  const joined = {
    ...request,
    pod: pod.name,
    ...(shared.includes('net') ? { networks: [holder.network.kind === 'host' ? 'host' : target] } : {}),
    ...(shared.includes('ipc') ? { ipc: target } : {}),
    ...(shared.includes('pid') ? { pid: target } : {}),
    ...(holder.uidMap.length === 0 ? {} : { userns: { kind: 'join', target } as const }),
  };
  if (!shared.includes('uts')) return joined;
  return {
    ...joined,
    uts: target,
    hostname:
      hostname ??
      pod.name
        .replaceAll('_', '-')
        .slice(0, 63)
        .replace(/[-.]+$/, ''),
  };
}
