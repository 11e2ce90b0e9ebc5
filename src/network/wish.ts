import { isName } from '../plan/parse-values.ts';
import { Failure } from '../run/failure.ts';
import { contains, formatAddress, formatSubnet, overlap, parseAddress, parseSubnet, type Subnet } from './ip.ts';
import { checkLeases } from './dhcp.ts';
import type { NetworkRecord, SubnetRecord } from './records.ts';

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

/**
 * What a wish says of itself, before any host is asked: its driver, and its subnets, routes and options as they are recorded. A Failure (125)
 * names the first value that no host could do.
 */
export function readWish(wish: NetworkWish): {
  readonly driver: NetworkRecord['driver'];
  readonly subnets: readonly SubnetRecord[];
  readonly routes: NonNullable<NetworkRecord['routes']>;
  readonly options: NonNullable<NetworkRecord['options']>;
} {
  if (!isName(wish.name) || RESERVED.includes(wish.name)) {
    throw new Failure(
      125,
      `${wish.name}: not a name of a network; names match [a-zA-Z0-9][a-zA-Z0-9_.-]*, and ${RESERVED.join(', ')} are taken`,
    );
  }
  const driver = driverOf(wish);
  const { interfaceName } = wish;
  // Interfaces have at most 15 letters (IFNAMSIZ).
  if (driver === 'bridge' && interfaceName !== undefined && !isInterface(interfaceName))
    throw new Failure(125, `--interface-name ${interfaceName}: not a name of at most 15 letters`);
  if (driver === 'bridge') checkRanges(wish.subnets.map(one => one.subnet));
  return {
    driver,
    subnets: wish.subnets.map(readSubnet),
    routes: wish.routes.map(readRoute),
    options: readOptions(wish.options, driver),
  };
}

/** The names of directories, and those that stand for all interfaces in /proc/sys/net. */
function isInterface(name: string): boolean {
  return /^[a-zA-Z0-9_.-]{1,15}$/.test(name) && !['.', '..', 'all', 'default'].includes(name);
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

/** An option as netavark has to be told it; undefined for a value that it would refuse, or pass over. */
type Read = (value: string, driver: NetworkRecord['driver']) => string | undefined;

const among =
  (form: RegExp): Read =>
  value =>
    form.test(value) ? value : undefined;

/** netavark takes `true` and `false` alone; what else says so is no mistake for Podman. */
const flag: Read = value => (/^(1|t|true)$/i.test(value) ? 'true' : /^(0|f|false)$/i.test(value) ? 'false' : undefined);

const MODES: Readonly<Record<NetworkRecord['driver'], readonly string[]>> = {
  bridge: ['managed', 'unmanaged'],
  macvlan: ['bridge', 'private', 'vepa', 'passthru'],
  ipvlan: ['l2', 'l3', 'l3s'],
};

const OPTIONS: Readonly<Record<string, Read>> = {
  // 68 is the least of IPv4; 0 is the host's.
  mtu: value => (/^\d{1,5}$/.test(value) && isMtu(Number(value)) ? value : undefined),
  vlan: value => (/^[1-9]\d{0,3}$/.test(value) && Number(value) <= 4094 ? value : undefined),
  // Any other word is none for netavark, and the network would be open.
  isolate: (value, driver) => (value.toLowerCase() === 'strict' ? 'strict' : flag(value, driver)),
  metric: among(/^\d{1,9}$/),
  mode: (value, driver) => (MODES[driver].includes(value) ? value : undefined),
  parent: among(/./),
  no_default_route: flag,
  vrf: among(/./),
  bclim: among(/^-?\d{1,9}$/),
};

const isMtu = (size: number): boolean => size === 0 || (size >= 68 && size <= 65535);

function readOptions(
  given: NetworkWish['options'],
  driver: NetworkRecord['driver'],
): NonNullable<NetworkRecord['options']> {
  const read = Object.entries(given).map(([key, value]) => {
    const option = Object.hasOwn(OPTIONS, key) ? OPTIONS[key] : undefined;
    if (option === undefined)
      throw new Failure(125, `--opt ${key}: not an option of a network; there are ${Object.keys(OPTIONS).join(', ')}`);
    const known = option(value, driver);
    if (known === undefined) throw new Failure(125, `--opt ${key}=${value}: the value is not understood`);
    return [key, known] as const;
  });
  return Object.fromEntries(read);
}

function driverOf(wish: NetworkWish): NetworkRecord['driver'] {
  const { driver } = wish;
  if (driver !== 'bridge' && driver !== 'macvlan' && driver !== 'ipvlan') {
    throw new Failure(125, `--driver ${driver}: there is no such network driver; use bridge, macvlan or ipvlan`);
  }
  if (!['host-local', 'none', 'dhcp'].includes(wish.ipamDriver))
    throw new Failure(125, `--ipam-driver ${wish.ipamDriver}: use host-local, dhcp or none`);
  if (wish.ipamDriver === 'dhcp') checkLeases(wish);
  if (driver !== 'bridge' && wish.ipamDriver === 'host-local' && wish.subnets.length === 0) {
    throw new Failure(125, `--driver ${driver}: give the --subnet of the network that the interface is in`);
  }
  return driver;
}

function readSubnet({ subnet, gateway, range }: NetworkWish['subnets'][number]): SubnetRecord {
  const parsed = parseSubnet(subnet);
  if (parsed === undefined) throw new Failure(125, `--subnet ${subnet}: not a subnet such as 10.91.0.0/24`);
  const door =
    gateway === undefined || gateway === ''
      ? formatAddress({ family: parsed.family, value: parsed.first + 1n })
      : gateway;
  const address = parseAddress(door);
  if (address === undefined || !contains(parsed, address))
    throw new Failure(125, `--gateway ${door}: the gateway is outside of ${subnet}`);
  if (address.family === 4 && parsed.prefix < 31 && (address.value === parsed.first || address.value === parsed.last))
    throw new Failure(125, `--gateway ${door}: the first and the last address of ${subnet} are no host's`);
  return { subnet: formatSubnet(parsed), gateway: formatAddress(address), ...leaseRange(parsed, subnet, range) };
}

/** Of a bridge, where each container and the gateway have an address in the subnet. */
function checkRanges(texts: readonly string[]): void {
  const ranges = texts.map(parseSubnet);
  for (const [i, range] of ranges.entries()) {
    if (range === undefined) continue;
    const text = texts[i] ?? '';
    if (range.prefix > (range.family === 4 ? 30 : 126))
      throw new Failure(125, `--subnet ${text}: no room for a gateway and a container`);
    const special = SPECIAL.find(one => overlap(one, range));
    if (special !== undefined)
      throw new Failure(125, `--subnet ${text}: hosts have no address in ${formatSubnet(special)}`);
    const other = ranges.findIndex((one, at) => at < i && one !== undefined && overlap(one, range));
    if (other >= 0) throw new Failure(125, `--subnet ${text}: overlaps --subnet ${texts[other] ?? ''}`);
  }
}

/** This network, loopback, multicast and what is reserved (RFC 6890); link-local addresses of IPv6 are the kernel's to give. */
const SPECIAL: readonly Subnet[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '224.0.0.0/3',
  '::/127',
  'fe80::/10',
  'ff00::/8',
].flatMap(text => parseSubnet(text) ?? []);

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

/** `--route DESTINATION,GATEWAY[,METRIC]` */
function readRoute(text: string): { destination: string; gateway: string; metric?: number } {
  const [to = '', gateway = '', metric, ...more] = text.split(',');
  const [subnet, address] = [parseSubnet(to), parseAddress(gateway)];
  if (
    subnet === undefined ||
    address === undefined ||
    more.length > 0 ||
    (metric !== undefined && !/^\d{1,9}$/.test(metric))
  )
    throw new Failure(125, `--route ${text}: write DESTINATION/PREFIX,GATEWAY[,METRIC]`);
  if (subnet.family !== address.family)
    throw new Failure(125, `--route ${text}: one of the two is of IPv4, the other of IPv6`);
  const destination = formatSubnet(subnet);
  return metric === undefined ? { destination, gateway } : { destination, gateway, metric: Number(metric) };
}
