import type { Host } from '../host/host.ts';
import { isName } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { hasPodman, hostRoutes } from './ipam.ts';
import { contains, formatAddress, formatSubnet, overlap, parseAddress, parseSubnet, type Subnet } from './ip.ts';
import { listNetworks, networkPath, readNetwork, type NetworkRecord, type SubnetRecord } from './records.ts';

/** What `network create` was asked for; subnets with the gateway and the range of the same position. */
export interface NetworkWish {
  readonly name: string;
  readonly driver: string;
  readonly subnets: readonly { readonly subnet: string; readonly gateway?: string; readonly range?: string }[];
  readonly routes: readonly string[];
  readonly ipv6: boolean;
  readonly internal: boolean;
  readonly dns: boolean;
  readonly dnsServers: readonly string[];
  readonly ipamDriver: string;
  readonly interfaceName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** Checks the wish against the other networks and the host's routes, and writes the record; under the network lock. */
export function createNetwork(host: Host, store: string, wish: NetworkWish): NetworkRecord {
  if (!isName(wish.name) || RESERVED.includes(wish.name)) {
    throw new Failure(
      125,
      `${wish.name}: not a name of a network; names match [a-zA-Z0-9][a-zA-Z0-9_.-]*, and ${RESERVED.join(', ')} are taken`,
    );
  }
  if (readNetwork(host, store, wish.name) !== undefined)
    throw new Failure(125, `${wish.name}: there is a network of this name`);
  const driver = driverOf(host, wish);
  const others = listNetworks(host, store);
  const taken = others.flatMap(other =>
    other.subnets.map(one => ({ name: other.name, range: parseSubnet(one.subnet) })),
  );
  // Of a macvlan or ipvlan it is the subnet that the parent interface is in.
  const subnets = wish.subnets.map(one => checkSubnet(host, one, driver === 'bridge' ? taken : undefined));
  const local = wish.ipamDriver === 'host-local';
  if (local && !subnets.some(one => !one.subnet.includes(':'))) {
    if (subnets.length === 0 || !wish.ipv6) subnets.push(freeSubnet(host, taken));
  }
  if (local && wish.ipv6 && !subnets.some(one => one.subnet.includes(':'))) subnets.push(privateSubnet6(host));
  const record: NetworkRecord = {
    name: wish.name,
    id: host.random(32),
    driver,
    network_interface:
      driver === 'bridge' ? bridgeName(host, wish, others) : (wish.options['parent'] ?? wish.interfaceName ?? ''),
    created: new Date(host.now() * 1000).toISOString(),
    subnets,
    ...(wish.routes.length === 0 ? {} : { routes: wish.routes.map(readRoute) }),
    ipv6_enabled: wish.ipv6 || subnets.some(one => one.subnet.includes(':')),
    internal: wish.internal,
    dns_enabled: wish.dns && driver === 'bridge',
    ...(wish.dnsServers.length === 0 ? {} : { network_dns_servers: wish.dnsServers }),
    labels: wish.labels,
    options: Object.fromEntries(Object.entries(wish.options).filter(([key]) => key !== 'parent')),
    ipam_options: { driver: wish.ipamDriver },
  };
  host.mkdirs(`${store}/networks`, 0o700);
  host.writeFileAtomic(networkPath(store, wish.name), JSON.stringify(record), 0o600);
  return record;
}

const RESERVED = [
  'bridge',
  'none',
  'host',
  'default',
  'private',
  'pasta',
  'slirp4netns',
  'container',
  'ns',
  'podman',
  'berth',
];
const OPTIONS = ['mtu', 'vlan', 'isolate', 'metric', 'mode', 'parent', 'no_default_route', 'vrf', 'bclim'];

function driverOf(host: Host, wish: NetworkWish): NetworkRecord['driver'] {
  const { driver } = wish;
  if (driver !== 'bridge' && driver !== 'macvlan' && driver !== 'ipvlan') {
    throw new Failure(125, `--driver ${driver}: there is no such network driver; use bridge, macvlan or ipvlan`);
  }
  const odd = Object.keys(wish.options).find(key => !OPTIONS.includes(key));
  if (odd !== undefined)
    throw new Failure(125, `--opt ${odd}: not an option of a network; there are ${OPTIONS.join(', ')}`);
  if (wish.ipamDriver !== 'host-local' && wish.ipamDriver !== 'none') {
    throw new Failure(
      125,
      `--ipam-driver ${wish.ipamDriver}: use host-local or none; addresses by DHCP are not in this version of Berth`,
    );
  }
  if (driver !== 'bridge' && host.euid !== 0) {
    throw new Failure(
      125,
      `--driver ${driver}: it needs an interface of the host, which only root's containers can have`,
    );
  }
  const parent = driver === 'bridge' ? undefined : wish.options['parent'];
  if (parent !== undefined && host.lstat(`/sys/class/net/${parent}`) === undefined) {
    throw new Failure(125, `--opt parent=${parent}: there is no such interface; 'ip link' lists them`);
  }
  if (driver !== 'bridge' && wish.ipamDriver === 'host-local' && wish.subnets.length === 0) {
    throw new Failure(125, `--driver ${driver}: give the --subnet of the network that the interface is in`);
  }
  return driver;
}

function checkSubnet(
  host: Host,
  { subnet, gateway, range }: NetworkWish['subnets'][number],
  taken: readonly { name: string; range: Subnet | undefined }[] | undefined,
): SubnetRecord {
  const parsed = parseSubnet(subnet);
  if (parsed === undefined) throw new Failure(125, `--subnet ${subnet}: not a subnet such as 10.91.0.0/24`);
  const other = taken?.find(one => one.range !== undefined && overlap(one.range, parsed));
  if (other !== undefined)
    throw new Failure(
      125,
      `--subnet ${subnet}: overlaps the network ${other.name}, ${other.range === undefined ? '' : formatSubnet(other.range)}`,
    );
  const route = taken && hostRoutes(host).find(one => overlap(one, parsed));
  if (route !== undefined)
    throw new Failure(125, `--subnet ${subnet}: overlaps the route ${formatSubnet(route)} of this host`);
  const door =
    gateway === undefined || gateway === ''
      ? formatAddress({ family: parsed.family, value: parsed.first + 1n })
      : gateway;
  const address = parseAddress(door);
  if (address === undefined || !contains(parsed, address))
    throw new Failure(125, `--gateway ${door}: the gateway is outside of ${subnet}`);
  return { subnet: formatSubnet(parsed), gateway: formatAddress(address), ...leaseRange(parsed, subnet, range) };
}

/** `--ip-range`: a subnet within the subnet, or `FIRST-LAST`. */
function leaseRange(subnet: Subnet, text: string, range: string | undefined): Pick<SubnetRecord, 'lease_range'> {
  if (range === undefined || range === '') return {};
  const [from = '', to] = range.split('-');
  const part = to === undefined ? parseSubnet(from) : undefined;
  const first = to === undefined ? part && { family: part.family, value: part.first } : parseAddress(from);
  const last = to === undefined ? part && { family: part.family, value: part.last } : parseAddress(to);
  if (first === undefined || last === undefined || first.value > last.value) {
    throw new Failure(125, `--ip-range ${range}: neither a subnet nor FIRST-LAST`);
  }
  if (!contains(subnet, first) || !contains(subnet, last))
    throw new Failure(125, `--ip-range ${range}: is outside of ${text}`);
  return { lease_range: { start_ip: formatAddress(first), end_ip: formatAddress(last) } };
}

/** The first /24 of 10.89 (10.91 where Podman is installed) and above that neither a network nor a route overlaps. */
function freeSubnet(host: Host, taken: readonly { range: Subnet | undefined }[]): SubnetRecord {
  const routes = hostRoutes(host);
  for (let number = (hasPodman(host) ? 91 : 89) * 256; number < 65536; number++) {
    const parsed = parseSubnet(`10.${number >> 8}.${number & 255}.0/24`);
    if (parsed === undefined) continue;
    const clashes = taken.some(one => one.range !== undefined && overlap(one.range, parsed));
    if (clashes || routes.some(route => overlap(route, parsed))) continue;
    return { subnet: formatSubnet(parsed), gateway: formatAddress({ family: 4, value: parsed.first + 1n }) };
  }
  throw new Failure(125, 'network create: no /24 of 10.0.0.0/8 is free; give one with --subnet');
}

/** RFC 4193: fd and forty random bits. */
function privateSubnet6(host: Host): SubnetRecord {
  const digits = host.random(7);
  const subnet = `fd${digits.slice(0, 2)}:${digits.slice(2, 6)}:${digits.slice(6, 10)}:${digits.slice(10, 14)}`;
  const parsed = parseSubnet(`${subnet}::/64`);
  if (parsed === undefined) throw new Error(`${subnet}: not a subnet`);
  return { subnet: formatSubnet(parsed), gateway: formatAddress({ family: 6, value: parsed.first + 1n }) };
}

/** Interfaces have at most 15 letters (IFNAMSIZ). */
function bridgeName(host: Host, wish: NetworkWish, others: readonly NetworkRecord[]): string {
  const used = (name: string): boolean =>
    others.some(other => other.network_interface === name) || host.lstat(`/sys/class/net/${name}`) !== undefined;
  const { interfaceName } = wish;
  if (interfaceName !== undefined) {
    if (!/^[a-zA-Z0-9_.-]{1,15}$/.test(interfaceName))
      throw new Failure(125, `--interface-name ${interfaceName}: not a name of at most 15 letters`);
    if (used(interfaceName))
      throw new Failure(125, `--interface-name ${interfaceName}: there is an interface of this name`);
    return interfaceName;
  }
  let number = 1;
  while (used(`berth${number}`)) number++;
  return `berth${number}`;
}

/** `--route DESTINATION,GATEWAY[,METRIC]` */
function readRoute(text: string): { destination: string; gateway: string; metric?: number } {
  const [destination = '', gateway = '', metric, ...more] = text.split(',');
  const right = parseSubnet(destination) !== undefined && parseAddress(gateway) !== undefined && more.length === 0;
  if (!right || (metric !== undefined && !/^\d{1,9}$/.test(metric))) {
    throw new Failure(125, `--route ${text}: write DESTINATION/PREFIX,GATEWAY[,METRIC]`);
  }
  return metric === undefined ? { destination, gateway } : { destination, gateway, metric: Number(metric) };
}
