import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { hasPodman, hostRoutes } from './ipam.ts';
import { formatAddress, formatSubnet, overlap, parseSubnet, type Subnet } from './ip.ts';
import { listNetworks, networkPath, readNetwork, type NetworkRecord, type SubnetRecord } from './records.ts';
import { readWish, type NetworkWish } from './wish.ts';

/** Checks the wish against the other networks and the host's routes, and writes the record; under the network lock. */
export function createNetwork(host: Host, store: string, wish: NetworkWish): NetworkRecord {
  checkAccount(host, wish.driver);
  const wanted = readWish(wish);
  if (readNetwork(host, store, wish.name) !== undefined)
    throw new Failure(125, `${wish.name}: there is a network of this name`);
  const { driver, routes, options } = wanted;
  checkDriver(host, wish, driver);
  const others = listNetworks(host, store);
  const taken = others.flatMap(other =>
    other.subnets.map(one => ({ name: other.name, range: parseSubnet(one.subnet) })),
  );
  if (driver === 'bridge') for (const { subnet } of wish.subnets) checkSubnet(host, subnet, taken);
  const subnets = [...wanted.subnets];
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
    ...(routes.length === 0 ? {} : { routes }),
    ipv6_enabled: wish.ipv6 || subnets.some(one => one.subnet.includes(':')),
    internal: wish.internal,
    dns_enabled: wish.dns && driver === 'bridge',
    ...(wish.dnsServers.length === 0 ? {} : { network_dns_servers: wish.dnsServers }),
    labels: wish.labels,
    options: Object.fromEntries(Object.entries(options).filter(([key]) => key !== 'parent')),
    ipam_options: { driver: wish.ipamDriver },
  };
  host.mkdirs(`${store}/networks`, 0o700);
  host.writeFileAtomic(networkPath(store, wish.name), JSON.stringify(record), 0o600);
  return record;
}

/** Before what such a network lacks is asked for. */
function checkAccount(host: Host, driver: string): void {
  if (host.euid === 0 || (driver !== 'macvlan' && driver !== 'ipvlan')) return;
  throw new Failure(
    125,
    `--driver ${driver}: it needs an interface of the host, which only root's containers can have`,
  );
}

function checkDriver(host: Host, wish: NetworkWish, driver: NetworkRecord['driver']): void {
  if (driver === 'bridge') return;
  const { parent } = wish.options;
  if (parent !== undefined && host.lstat(`/sys/class/net/${parent}`) === undefined)
    throw new Failure(125, `--opt parent=${parent}: there is no such interface; 'ip link' lists them`);
}

/** Of a macvlan or ipvlan it is the subnet that the parent interface is in; a bridge's must be its own. */
function checkSubnet(host: Host, subnet: string, taken: readonly { name: string; range: Subnet | undefined }[]): void {
  const parsed = parseSubnet(subnet);
  if (parsed === undefined) return;
  const other = taken.find(one => one.range !== undefined && overlap(one.range, parsed));
  if (other?.range !== undefined)
    throw new Failure(125, `--subnet ${subnet}: overlaps the network ${other.name}, ${formatSubnet(other.range)}`);
  const route = hostRoutes(host).find(one => overlap(one, parsed));
  if (route !== undefined)
    throw new Failure(125, `--subnet ${subnet}: overlaps the route ${formatSubnet(route)} of this host`);
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

function bridgeName(host: Host, wish: NetworkWish, others: readonly NetworkRecord[]): string {
  const used = (name: string): boolean =>
    others.some(other => other.network_interface === name) || host.lstat(`/sys/class/net/${name}`) !== undefined;
  const { interfaceName } = wish;
  if (interfaceName !== undefined) {
    if (used(interfaceName))
      throw new Failure(125, `--interface-name ${interfaceName}: there is an interface of this name`);
    return interfaceName;
  }
  let number = 1;
  while (used(`berth${number}`)) number++;
  return `berth${number}`;
}
