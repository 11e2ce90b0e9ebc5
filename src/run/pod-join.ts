import type { Command, OptionUse } from '../command/types.ts';
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

/** Before the name of a pod that a person's command makes (verbs/run-pod.ts). */
export const NEW = 'new:';

/** The option that says which pod: the last one. */
export function podUse({ options }: Command): OptionUse | undefined {
  return options.findLast(one => one.name === 'pod' || one.name === 'pod-id-file');
}

/** `--pod NAME`, or the id that `pod create --pod-id-file` has written. In a unit, which makes no pods, `new:NAME` is NAME. */
function podNamed(host: Host, command: Command): string | undefined {
  const use = podUse(command);
  if (use?.name === 'pod-id-file') return podIdIn(host, use.value);
  return use?.value.startsWith(NEW) === true ? use.value.slice(NEW.length) : use?.value;
}

export function podIdIn(host: Host, file: string): string {
  const text = host.readFileIfExists(file, 4096);
  if (text === undefined) throw new Failure(125, `--pod-id-file ${file}: no such file`);
  return text.trim();
}

/** The command line of a member with what its pod has for all of them, and that pod; undefined without `--pod`. */
export function podOf(host: Host, store: string, command: Command): { pod: PodRecord; command: Command } | undefined {
  const name = podNamed(host, command);
  if (name === undefined) return undefined;
  const pod = requirePod(host, store, name);
  refuseOwn(pod.name, sharedBy(pod), command);
  const given = pod.options.filter(use => FOR_MEMBERS.includes(use.name));
  return { pod, command: { ...command, options: [...given, ...command.options] } };
}

/** What a pod has for each of its members, before what they say themselves. */
const FOR_MEMBERS = ['volume', 'volumes-from', 'device', 'security-opt', 'no-hosts', 'no-hostname'];

/** A Failure (125) for what a member of such a pod cannot have of its own. */
export function refuseOwn(pod: string, shared: readonly Shared[], { options }: Command): void {
  const own = options.find(({ name }) => {
    const namespace = POD_OPTIONS[name];
    return namespace === 'user' || (namespace !== undefined && shared.includes(namespace));
  });
  if (own !== undefined)
    throw new Failure(125, `--${own.name}: belongs to the pod ${pod}; give it to the pod instead of the container`);
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
  const said = (option: string): string | undefined => pod.options.findLast(use => use.name === option)?.value;
  const joined = {
    ...request,
    pod: pod.name,
    ...(shared.includes('net') ? { networks: [holder.network.kind === 'host' ? 'host' : target] } : {}),
    ...(shared.includes('ipc') ? { ipc: target } : {}),
    ...(shared.includes('pid') ? { pid: target } : {}),
    ...(holder.uidMap.length === 0 ? {} : { userns: { kind: 'join', target } as const }),
  };
  if (!shared.includes('uts')) return joined;
  if (said('uts') === 'host') return { ...joined, uts: 'host' };
  return {
    ...joined,
    uts: target,
    hostname:
      said('hostname') ??
      pod.name
        .replaceAll('_', '-')
        .slice(0, 63)
        .replace(/[-.]+$/, ''),
  };
}
