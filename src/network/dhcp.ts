import { Failure } from '../run/failure.ts';
import type { NetworkWish } from './wish.ts';
import type { NetworkRecord } from './records.ts';

/**
 * Addresses of a server on the wire (`--ipam-driver dhcp`): netavark has its proxy, a service of netavark's package, ask for a lease and renew it.
 * The proxy knows a lease by the interface's address: with one that is the same at each start the server gives the same lease, and what takes down
 * after the container's namespace has gone can give it back.
 */
export const hasLeases = (record: NetworkRecord): boolean => record.ipam_options.driver === 'dhcp';

/** A Failure (125) for what netavark would refuse at each start. */
export function checkLeases({ driver, subnets, routes }: NetworkWish): void {
  if (driver !== 'macvlan')
    throw new Failure(125, `--ipam-driver dhcp: only with --driver macvlan; containers of a ${driver} have host-local`);
  if (subnets.length > 0 || routes.length > 0)
    throw new Failure(125, '--ipam-driver dhcp: the server gives subnet and routes; leave out --subnet and --route');
}

/** A hardware address of its own for a container of a network (IEEE 802: locally administered); the network's id is random. */
export function leaseAddress(record: NetworkRecord, container: string): string {
  let hash = 0xcbf29ce484222325n; // FNV-1a
  for (const letter of `${record.id} ${container}`)
    hash = ((hash ^ BigInt(letter.charCodeAt(0))) * 0x100000001b3n) & 0xffffffffffffffffn;
  const digits = (hash >> 24n).toString(16).padStart(10, '0');
  return `02:${digits.match(/../g)?.join(':') ?? ''}`;
}

/** What a failed lease lacks, by netavark's words: they hold a whole answer of its proxy. */
export function leaseHint(said: string): string | undefined {
  if (!said.includes('unable to obtain lease')) return undefined;
  if (/timeout/i.test(said)) return 'no DHCP server answers on the wire of its parent interface';
  return /nv-proxy\.sock/.test(said) ? 'systemctl enable --now netavark-dhcp-proxy.socket' : undefined;
}
