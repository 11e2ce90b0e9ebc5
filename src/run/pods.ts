import type { OptionUse } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { isName, isRunning, listContainers, type Container } from './containers.ts';
import { Failure } from './failure.ts';

/**
 * A pod: STORE/pods/NAME.json says what was asked for; what runs of it is the container of its holder, `infraName`, and those
 * whose state names the pod.
 */
export interface PodRecord {
  readonly version: 1;
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly infraName: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly exitPolicy: 'stop' | 'continue';
  /** Namespaces that the members join; absent in records of older versions: DEFAULT_SHARE. */
  readonly share?: readonly Shared[];
  /** Where `pod start` writes the holder's pid. */
  readonly pidFile?: string;
  /** Unit that made it; empty: a person. */
  readonly unit: string;
  readonly manager: 'system' | 'user' | '';
  /** Options that mean the same for `run`. */
  readonly options: readonly Pick<OptionUse, 'name' | 'value'>[];
}

const SHAREABLE = ['ipc', 'net', 'pid', 'uts'] as const;
export type Shared = (typeof SHAREABLE)[number];
export const DEFAULT_SHARE: readonly Shared[] = ['ipc', 'net', 'uts'];

export const sharedBy = (pod: PodRecord): readonly Shared[] => pod.share ?? DEFAULT_SHARE;

/** `--share` of podman-pod-create(1): a list, `none`, or with a `+` before it what is shared besides the usual. A Failure (125). */
export function parseShare(text: string): Shared[] {
  const more = text.startsWith('+');
  const words = (more ? text.slice(1) : text).split(',').filter(word => word !== '' && word !== 'none');
  const shared = new Set(more ? DEFAULT_SHARE : []);
  for (const word of words) {
    const found = SHAREABLE.find(one => one === word);
    if (found === undefined)
      throw new Failure(125, `--share ${text}: ${word} cannot be shared; use ${SHAREABLE.join(', ')} or none`);
    shared.add(found);
  }
  return SHAREABLE.filter(one => shared.has(one));
}

/** `--exit-policy` of podman-pod-create(1). A Failure (125). */
export function parseExitPolicy(text: string): PodRecord['exitPolicy'] {
  if (text === 'stop' || text === 'continue') return text;
  throw new Failure(125, `--exit-policy ${text}: use stop or continue`);
}

/** `--infra=false` of podman-pod-create(1). A Failure (125). */
export function checkInfra(value: string | undefined): void {
  if (value === 'false')
    throw new Failure(125, '--infra=false: a pod always has a holder; write --share none, and nothing is shared');
}

/** Options that are the pod's own; the others mean what they mean for `run`. */
export const POD_OWN: readonly string[] = [
  ...['name', 'infra-name', 'infra-conmon-pidfile', 'exit-policy', 'replace', 'share', 'pod-id-file'],
  ...['infra', 'infra-command', 'infra-image', 'share-parent'],
];

export const podPath = (store: string, name: string): string => `${store}/pods/${name}.json`;

export function readPod(host: Host, store: string, name: string): PodRecord | undefined {
  const text = isName(name) ? host.readFileIfExists(podPath(store, name)) : undefined;
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as PodRecord;
  } catch {
    return undefined;
  }
}

export function writePod(host: Host, store: string, record: PodRecord): void {
  host.mkdirs(`${store}/pods`, 0o700);
  host.writeFileAtomic(podPath(store, record.name), JSON.stringify(record), 0o600);
}

/** By name. */
export function listPods(host: Host, store: string): PodRecord[] {
  if (host.stat(`${store}/pods`) === undefined) return [];
  return host
    .list(`${store}/pods`)
    .flatMap(({ name }) => (name.endsWith('.json') ? (readPod(host, store, name.slice(0, -5)) ?? []) : []));
}

/** By name, or by a beginning of an id that only one has. */
export function findPod(host: Host, store: string, word: string): PodRecord | undefined {
  const exact = readPod(host, store, word);
  if (exact !== undefined) return exact;
  const matches = word === '' ? [] : listPods(host, store).filter(pod => pod.id.startsWith(word));
  if (matches.length > 1) throw new Failure(125, `${word}: more than one pod's id begins so`);
  return matches[0];
}

/** A Failure (125) when there is none. */
export function requirePod(host: Host, store: string, word: string): PodRecord {
  const found = findPod(host, store, word);
  if (found === undefined) throw new Failure(125, `${word}: no such pod`);
  return found;
}

/** All containers of a pod; `holder` is the one of its namespaces. */
export function membersOf(host: Host, pod: PodRecord): { holder?: Container; members: Container[] } {
  const all = listContainers(host).filter(one => one.state?.pod === pod.name);
  const holder = all.find(one => one.name === pod.infraName);
  const members = all.filter(one => one.name !== pod.infraName);
  return holder === undefined ? { members } : { holder, members };
}

/** As Podman words it: Created, Running, Degraded (some ended), Exited. */
export function podStatus(host: Host, pod: PodRecord): string {
  const { holder, members } = membersOf(host, pod);
  if (holder?.state === undefined) return 'Created';
  if (!isRunning(host, holder.state)) return 'Exited';
  return members.every(one => one.state !== undefined && isRunning(host, one.state)) ? 'Running' : 'Degraded';
}
