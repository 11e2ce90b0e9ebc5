import type { Host } from '../host/host.ts';
import { isName } from '../run/containers.ts';
import { readState } from './ipam.ts';

/** A network as netavark(1) and the peer's `network inspect` write it. STORE/networks/NAME.json; the default one is made up. */
export interface NetworkRecord {
  readonly name: string;
  /** 64 hexadecimal digits; netavark names its chains by the first eight. */
  readonly id: string;
  readonly driver: 'bridge' | 'macvlan' | 'ipvlan';
  readonly network_interface: string;
  /** RFC 3339 */
  readonly created: string;
  readonly subnets: readonly SubnetRecord[];
  readonly routes?: readonly { readonly destination: string; readonly gateway: string; readonly metric?: number }[];
  readonly ipv6_enabled: boolean;
  readonly internal: boolean;
  readonly dns_enabled: boolean;
  readonly network_dns_servers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
  readonly ipam_options: { readonly driver: string };
}

export interface SubnetRecord {
  readonly subnet: string;
  readonly gateway?: string;
  readonly lease_range?: { readonly start_ip: string; readonly end_ip: string };
}

/** The network of containers of root that name none; `podman` and `bridge` mean it, too. */
export const DEFAULT_NETWORK = 'berth';
const PEERS_DEFAULT = 'podman';
const DEFAULT_ID = '6265727468'.padEnd(64, '0');

export function readNetwork(host: Host, store: string, name: string): NetworkRecord | undefined {
  if (name === DEFAULT_NETWORK || name === PEERS_DEFAULT) return defaultNetwork(host);
  if (!isName(name)) return undefined;
  const text = host.readFileIfExists(networkPath(store, name));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as NetworkRecord;
  } catch {
    return undefined;
  }
}

/** By name, the default one first. */
export function listNetworks(host: Host, store: string): NetworkRecord[] {
  const found = [defaultNetwork(host)];
  if (host.stat(`${store}/networks`) === undefined) return found;
  for (const { name } of host.list(`${store}/networks`)) {
    const record = name.endsWith('.json') ? readNetwork(host, store, name.slice(0, -5)) : undefined;
    if (record !== undefined) found.push(record);
  }
  return found;
}

export function networkPath(store: string, name: string): string {
  return `${store}/networks/${name}.json`;
}

function defaultNetwork(host: Host): NetworkRecord {
  const { subnet } = readState(host);
  return {
    name: DEFAULT_NETWORK,
    id: DEFAULT_ID,
    driver: 'bridge',
    network_interface: 'berth0',
    created: '1970-01-01T00:00:00Z',
    subnets: [{ subnet, gateway: subnet.replace(/0\.0\/16$/, '0.1') }],
    ipv6_enabled: false,
    internal: false,
    dns_enabled: false,
    ipam_options: { driver: 'host-local' },
  };
}
