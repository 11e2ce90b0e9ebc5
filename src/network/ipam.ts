import type { Host, Lock } from '../host/host.ts';
import { storeDirectory } from '../image/store.ts';
import { runtimeDirectory } from '../run/directories.ts';
import { contains, formatAddress, overlap, parseAddress, parseSubnet, type Subnet } from './ip.ts';
import type { SubnetRecord } from './records.ts';

/**
 * Who is attached to which network with which addresses: one file below /run, so that addresses are given anew after a boot, changed only
 * under the lock of `withNetworkLock`. An attachment whose bundle is gone is what a crash left: see `staleAttachments`.
 */
export interface NetworkState {
  readonly version: 2;
  /** `10.88.0.0/16`, of the default network; always a /16. */
  readonly subnet: string;
  /** By the path of the bundle, with ` NETWORK` behind it for what `network connect` added. */
  readonly attachments: Readonly<Record<string, Attachment>>;
  /** Of netavark and aardvark-dns: the files whose versions are good. */
  readonly helpers?: string;
}

export interface Attachment {
  readonly bundle: string;
  /** `ADDRESS:PORT/PROTOCOL` of the host; an empty address means all. */
  readonly ports: readonly string[];
  readonly networks: Readonly<Record<string, readonly string[]>>;
  /** What netavark was told: it takes down the same. */
  readonly configuration: string;
  /** netavark has made it: the rules of its networks stand. */
  readonly made?: boolean;
}

/** Root's and each account's networks know nothing of each other. */
export const networkDirectory = (host: Host): string => `${runtimeDirectory(host)}/networks`;

const file = (host: Host): string => `${networkDirectory(host)}/ipam.json`;

/** Serves everything that changes the network: as the peer does, netavark is not run twice at once. */
export function withNetworkLock<T>(host: Host, act: () => T): T {
  const directory = networkDirectory(host);
  host.mkdirs(directory, 0o700);
  held = host.lock(`${directory}/lock`, true, true);
  try {
    return act();
  } finally {
    held?.release();
  }
}

let held: Lock | undefined;

/** Of who has the lock: the others have it for as long as this takes, and what was read before may have changed. */
export function withoutNetworkLock<T>(host: Host, act: () => T): T {
  held?.release();
  try {
    return act();
  } finally {
    held = host.lock(`${networkDirectory(host)}/lock`, true, true);
  }
}

/** A file that is not there or cannot be read is begun anew. */
export function readState(host: Host): NetworkState {
  return (
    parseState(host.readFileIfExists(file(host))) ?? { version: 2, subnet: freeDefaultSubnet(host), attachments: {} }
  );
}

export function writeState(host: Host, state: NetworkState): void {
  host.writeFileAtomic(file(host), JSON.stringify(state), 0o600);
}

/** Keys of those whose container is gone, and of an earlier container with this bundle. */
export function staleAttachments(host: Host, state: NetworkState, bundle: string): string[] {
  return Object.entries(state.attachments)
    .filter(([, one]) => one.bundle === bundle || host.lstat(one.bundle) === undefined)
    .map(([key]) => key);
}

export function without(state: NetworkState, keys: readonly string[]): NetworkState {
  const attachments = Object.entries(state.attachments).filter(([key]) => !keys.includes(key));
  return { ...state, attachments: Object.fromEntries(attachments) };
}

export const isUsed = (state: NetworkState, network: string): boolean =>
  Object.values(state.attachments).some(one => one.networks[network] !== undefined);

function parseState(text: string | undefined): NetworkState | undefined {
  if (text === undefined) return undefined;
  try {
    const state = JSON.parse(text) as NetworkState;
    return state.version === 2 && /^10\.\d+\.0\.0\/16$/.test(state.subnet) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** The attachment that has an address in a network. */
export function holderOf(state: NetworkState, network: string, address: string): Attachment | undefined {
  return Object.values(state.attachments).find(one => one.networks[network]?.includes(address) === true);
}

/** The lowest free address of a subnet, or the one asked for; undefined when it is taken or outside, or none is left. */
export function chooseAddress(
  state: NetworkState,
  network: string,
  subnet: SubnetRecord,
  wanted: string | undefined,
): string | undefined {
  const range = parseSubnet(subnet.subnet);
  if (range === undefined) return undefined;
  const taken = new Set(Object.values(state.attachments).flatMap(one => one.networks[network] ?? []));
  if (subnet.gateway !== undefined) taken.add(subnet.gateway);
  const { first, last } = usable(range);
  if (wanted !== undefined) {
    const address = parseAddress(wanted);
    if (address === undefined || !contains(range, address) || address.value < first || address.value > last)
      return undefined;
    return taken.has(formatAddress(address)) ? undefined : formatAddress(address);
  }
  const start = parseAddress(subnet.lease_range?.start_ip ?? '')?.value ?? first;
  const end = parseAddress(subnet.lease_range?.end_ip ?? '')?.value ?? last;
  for (let value = start < first ? first : start; value <= end && value <= last; value++) {
    const text = formatAddress({ family: range.family, value });
    if (!taken.has(text)) return text;
  }
  return undefined;
}

/** Without the network's own address, and without the broadcast address. */
export function usable({ family, first, last }: Subnet): { first: bigint; last: bigint } {
  if (last - first < 3n) return { first, last };
  return { first: first + 1n, last: family === 4 ? last - 1n : last };
}

/**
 * 10.88.0.0/16 or the next that neither a route of this host nor a created network overlaps, whose bridge may not be there yet. Where Podman is
 * installed its own 10.88 and 10.89 are left to it: its network may come up later than ours.
 */
export function freeDefaultSubnet(host: Host): string {
  const taken = [...hostRoutes(host), ...createdSubnets(host)];
  for (let second = hasPodman(host) ? 90 : 88; second < 256; second++) {
    const text = `10.${second}.0.0/16`;
    const subnet = parseSubnet(text);
    if (subnet !== undefined && !taken.some(one => overlap(one, subnet))) return text;
  }
  return '10.88.0.0/16';
}

function createdSubnets(host: Host): Subnet[] {
  const directory = `${storeDirectory(host)}/networks`;
  if (host.stat(directory) === undefined) return [];
  const texts = host
    .list(directory)
    .flatMap(({ name }) => (name.endsWith('.json') ? (host.readFileIfExists(`${directory}/${name}`) ?? []) : []));
  // Of the records' text: one that is no JSON takes nothing away from the others.
  const subnets = texts.flatMap(text => [...text.matchAll(/"subnet":\s*"([^"]+)"/g)].map(([, subnet = '']) => subnet));
  return subnets.flatMap(subnet => parseSubnet(subnet) ?? []);
}

export const hasPodman = (host: Host): boolean => host.stat('/usr/bin/podman') !== undefined;

export function hostRoutes(host: Host): Subnet[] {
  return parseRoutes(host.readFileIfExists('/proc/net/route') ?? '');
}

/** /proc/net/route: interface, destination, gateway, flags, …, mask: little-endian hexadecimal. Default routes and our bridges are left out. */
export function parseRoutes(text: string): Subnet[] {
  const routes: Subnet[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [device = '', destination = '', , , , , , mask = ''] = line.split('\t');
    if (device === '' || /^berth\d+$/.test(device) || /^0+$/.test(mask.trim())) continue;
    const [start, bits] = [swapped(destination), swapped(mask.trim())];
    const prefix = bits.toString(2).replace(/0*$/, '').length;
    const first = BigInt((start & bits) >>> 0);
    routes.push({ family: 4, first, last: first + BigInt(~bits >>> 0), prefix });
  }
  return routes;
}

function swapped(hex: string): number {
  const value = parseInt(hex, 16);
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
