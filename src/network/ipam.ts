import type { Host } from '../host/host.ts';

/**
 * Addresses of the bridge network: one file below /run, so that they are given anew after a boot, changed only under the lock of
 * `withNetworkLock`. A lease whose bundle is gone is what a crash left: see `staleLeases`.
 */
export interface Pool {
  readonly version: 1;
  /** `10.88.0.0/16`; always a /16. */
  readonly subnet: string;
  readonly leases: Readonly<Record<string, Lease>>;
}

export interface Lease {
  readonly bundle: string;
  /** `ADDRESS:PORT/PROTOCOL` of the host; an empty address means all. */
  readonly ports: readonly string[];
  /** What netavark was told: it takes down the same. */
  readonly configuration: string;
}

export const DIRECTORY = '/run/berth/networks';
const FILE = `${DIRECTORY}/ipam.json`;
const FIRST = 2;
const LAST = 65_533;

/** Serves everything that changes the network: as the peer does, netavark is not run twice at once. */
export function withNetworkLock<T>(host: Host, act: () => T): T {
  host.mkdirs(DIRECTORY, 0o700);
  const lock = host.lock(`${DIRECTORY}/lock`, true, true);
  try {
    return act();
  } finally {
    lock?.release();
  }
}

/** A file that is not there or cannot be read is begun anew. */
export function readPool(host: Host): Pool {
  return parsePool(host.readFileIfExists(FILE)) ?? { version: 1, subnet: freeSubnet(host), leases: {} };
}

/** Addresses whose container is gone, and those of an earlier container with this bundle. */
export function staleLeases(host: Host, pool: Pool, bundle: string): string[] {
  const stale = (lease: Lease): boolean => lease.bundle === bundle || host.lstat(lease.bundle) === undefined;
  return Object.keys(pool.leases).filter(address => stale(pool.leases[address] as Lease));
}

export function withoutLeases(pool: Pool, addresses: readonly string[]): Pool {
  const leases = Object.entries(pool.leases).filter(([address]) => !addresses.includes(address));
  return { ...pool, leases: Object.fromEntries(leases) };
}

export function writePool(host: Host, pool: Pool): void {
  host.writeFileAtomic(FILE, JSON.stringify(pool), 0o600);
}

function parsePool(text: string | undefined): Pool | undefined {
  if (text === undefined) return undefined;
  try {
    const pool = JSON.parse(text) as Pool;
    return pool.version === 1 && /^10\.\d+\.0\.0\/16$/.test(pool.subnet) ? pool : undefined;
  } catch {
    return undefined;
  }
}

/** The lowest free address, or the one asked for; undefined when it is taken or outside, or none is left. */
export function chooseAddress(pool: Pool, wanted: string | undefined): string | undefined {
  const prefix = pool.subnet.split('.').slice(0, 2).join('.');
  const free = (address: string): boolean => pool.leases[address] === undefined;
  if (wanted !== undefined) {
    const [, , third = 0, fourth = 0] = wanted.split('.').map(Number);
    const number = third * 256 + fourth;
    const inside = wanted.startsWith(`${prefix}.`) && number >= FIRST && number <= LAST;
    return inside && free(wanted) ? wanted : undefined;
  }
  for (let number = FIRST; number <= LAST; number++) {
    const address = `${prefix}.${number >> 8}.${number & 255}`;
    if (free(address)) return address;
  }
  return undefined;
}

export function gatewayOf(pool: Pool): string {
  return pool.subnet.replace(/0\.0\/16$/, '0.1');
}

/**
 * 10.88.0.0/16 or the next that no route of this host overlaps. Where Podman is installed its own 10.88 and 10.89 are left to it: its
 * network may come up later than ours.
 */
export function freeSubnet(host: Host): string {
  const routes = parseRoutes(host.readFileIfExists('/proc/net/route') ?? '');
  const podman = host.stat('/usr/bin/podman') !== undefined;
  for (let second = podman ? 90 : 88; second < 256; second++) {
    const start = ((10 << 24) | (second << 16)) >>> 0;
    const overlaps = routes.some(
      route => (start & route.mask & MASK16) >>> 0 === (route.destination & route.mask & MASK16) >>> 0,
    );
    if (!overlaps) return `10.${second}.0.0/16`;
  }
  return '10.88.0.0/16';
}

const MASK16 = 0xffff0000;

interface Route {
  readonly destination: number;
  readonly mask: number;
}

/** /proc/net/route: interface, destination, gateway, flags, …, mask: little-endian hexadecimal. Default routes and our bridge are left out. */
export function parseRoutes(text: string): Route[] {
  const routes: Route[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [device = '', destination = '', , , , , , mask = ''] = line.split('\t');
    if (device === '' || device === 'berth0' || /^0+$/.test(mask.trim())) continue;
    routes.push({ destination: swapped(destination), mask: swapped(mask.trim()) });
  }
  return routes;
}

function swapped(hex: string): number {
  const value = parseInt(hex, 16);
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
