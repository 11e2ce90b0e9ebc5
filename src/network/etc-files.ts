import type { Host } from '../host/host.ts';
import { hasHostName, hostnameOf } from '../plan/namespaces.ts';
import type { RunRequest } from '../plan/request.ts';
import type { NetworkPlace } from '../run/parts.ts';

/** What a network says about names. */
export interface Connection {
  readonly mode: string;
  /** The container's own addresses. */
  readonly addresses?: readonly string[];
  /** The host as the container reaches it. */
  readonly hostAddress?: string;
  /** Resolvers of the network itself, before the host's. */
  readonly nameservers?: readonly string[];
  /** Search domains of the network. */
  readonly search?: readonly string[];
  /** The network's resolver answers for everything: no other server stands beside it. */
  readonly ownResolver?: boolean;
}

/** What a container wishes of its resolver (`--dns`, `--dns-search`, `--dns-option`). */
export type ResolverWishes = Pick<RunRequest, 'dns' | 'dnsSearch' | 'dnsOptions'>;

/** What was written into resolv.conf, and the server that pasta forwards to. */
export interface WrittenResolver {
  readonly text: string;
  readonly target: string;
}

/** Writes `hosts`, `resolv.conf` and `hostname` of the container into the bundle, with the content that Podman gives them. */
export function writeEtcFiles(
  host: Host,
  request: RunRequest,
  place: NetworkPlace,
  connection: Connection,
): WrittenResolver {
  const hostname = hostnameFor(host, request, place.name);
  const hosts = hostsText(place.hosts ?? host.readFileIfExists('/etc/hosts') ?? '', {
    ...connection,
    added: request.addHosts,
    names: [...new Set([hostname, place.name])],
  });
  host.writeFile(`${place.bundle}/hosts`, hosts, 0o644);
  host.writeFile(`${place.bundle}/hostname`, `${hostname}\n`, 0o644);
  const { base, target } = hostResolvers(host);
  const text = resolvText(base, request, connection);
  host.writeFile(`${place.bundle}/resolv.conf`, text, 0o644);
  return { text, target };
}

/** Who shares the network of another container has its names as well, and is known by its own name beside them. */
export function shareEtcFiles(host: Host, request: RunRequest, place: NetworkPlace, other: string): void {
  const theirs = (name: string): string => host.readFileIfExists(`${other}/${name}`) ?? '';
  const gateway = hostAddressIn(theirs('hosts'));
  const added = request.addHosts
    .map(({ name, address }) => ({ name, address: address === 'host-gateway' ? gateway : address }))
    .flatMap(({ name, address }) => (address === undefined ? [] : [`${address}\t${name}\n`]));
  host.writeFile(`${place.bundle}/hosts`, `${added.join('')}${theirs('hosts')}127.0.0.1\t${place.name}\n`, 0o644);
  host.writeFile(`${place.bundle}/hostname`, `${hostnameFor(host, request, place.name)}\n`, 0o644);
  host.writeFile(`${place.bundle}/resolv.conf`, theirs('resolv.conf'), 0o644);
}

/** The host as those reach it who have this file. */
export function hostAddressIn(hosts: string): string | undefined {
  return hosts
    .split('\n')
    .map(words)
    .find(line => line.includes(HOST_NAME))?.[0];
}

/** Of a container with a network of its own, or with the host's. */
export const hostAddressOf = ({ hostAddress, mode }: Connection): string | undefined =>
  hostAddress ?? (mode === 'host' ? '127.0.0.1' : undefined);

const HOST_NAME = 'host.containers.internal';
const HOST_NAMES = [HOST_NAME, 'host.docker.internal'];

function hostnameFor(host: Host, request: RunRequest, name: string): string {
  if (request.hostname !== undefined) return request.hostname;
  return hasHostName(request) ? host.hostName() : hostnameOf(name);
}

interface HostsContent extends Connection {
  readonly added: readonly { readonly name: string; readonly address: string }[];
  readonly names: readonly string[];
}

/** hosts(5): what was asked for, then the host's entries without names that are taken, localhost, the host, the container. */
export function hostsText(base: string, content: HostsContent): string {
  const lines: string[] = [];
  const taken = new Set<string>();
  const add = (address: string, names: readonly string[]): void => {
    const left = names.filter(name => !taken.has(`${name} ${family(address)}`));
    for (const name of left) taken.add(`${name} ${family(address)}`);
    if (left.length > 0) lines.push(`${address}\t${left.join(' ')}`);
  };
  const hostAddress = hostAddressOf(content);
  for (const { name, address } of content.added) {
    if (address !== 'host-gateway') add(address, [name]);
    else if (hostAddress !== undefined) add(hostAddress, [name]);
  }
  for (const [address = '', ...names] of base.split('\n').map(words)) if (names.length > 0) add(address, names);
  add('127.0.0.1', ['localhost']);
  add('::1', ['localhost']);
  if (hostAddress !== undefined) add(hostAddress, HOST_NAMES);
  const own = content.addresses ?? [content.mode === 'host' ? '127.0.1.1' : '127.0.0.1'];
  const free = own.map(address => content.names.filter(name => !taken.has(`${name} ${family(address)}`)));
  own.forEach((address, at) => {
    if ((free[at] ?? []).length > 0) lines.push(`${address}\t${(free[at] ?? []).join(' ')}`);
  });
  return `${lines.join('\n')}\n`;
}

/** Another network, or one less. */
export interface Move {
  /** Addresses of the container, before and after. */
  readonly own: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Of the host, in the network that was left; and in one that stays, where another one or none was known. */
  readonly lost: readonly string[];
  readonly gateway?: string | undefined;
  readonly names: readonly string[];
  /** Further names of the host: `--add-host NAME:host-gateway`. */
  readonly hostNames?: readonly string[];
}

/** hosts(5) after it: a name that has another meaning keeps that, as at a start; all other lines stay as they are. */
export function movedHosts(text: string, move: Move): string {
  const { own, added, removed, lost, gateway, names, hostNames = [] } = move;
  const ofHost = [...HOST_NAMES, ...hostNames];
  const taken = new Set<string>();
  const lines = text.split('\n').flatMap(line => {
    const [address = '', ...known] = words(line);
    if (removed.includes(address) && known.some(name => names.includes(name))) return [];
    if (gateway === undefined && lost.includes(address) && known.some(name => ofHost.includes(name))) return [];
    if (!own.includes(address)) for (const name of known) taken.add(`${name} ${family(address)}`);
    return gateway !== undefined && lost.includes(address) ? [line.replace(address, gateway)] : [line];
  });
  while (lines.at(-1) === '') lines.pop();
  const add = (address: string, all: readonly string[]): void => {
    const free = all.filter(name => !taken.has(`${name} ${family(address)}`));
    if (free.length > 0) lines.push(`${address}\t${free.join(' ')}`);
  };
  if (gateway !== undefined && lost.length === 0) add(gateway, ofHost);
  for (const address of added) add(address, names);
  return lines.map(line => `${line}\n`).join('');
}

const family = (address: string): string => (address.includes(':') ? '6' : '4');

/** Words of a line without its comment. */
function words(line: string): string[] {
  const end = line.indexOf('#');
  return (end < 0 ? line : line.slice(0, end)).split(/[ \t\r]+/).filter(word => word !== '');
}

export interface HostResolvers {
  /** The resolv.conf that those of containers are made from. */
  readonly base: string;
  /** The server that a pasta which starts now forwards to; empty: none. */
  readonly target: string;
}

/** systemd-resolved's stub on 127.0.0.53 cannot be reached from another namespace; it keeps the real servers in a file of its own. */
export function hostResolvers(host: Host): HostResolvers {
  const text = host.readFileIfExists('/etc/resolv.conf') ?? '';
  const servers = nameserversOf(text);
  const target = servers[0] ?? '';
  if (!servers.every(server => server === '127.0.0.53')) return { base: text, target };
  return { base: host.readFileIfExists('/run/systemd/resolve/resolv.conf') ?? text, target };
}

export function nameserversOf(text: string): string[] {
  return text
    .split('\n')
    .map(words)
    .filter(([word]) => word === 'nameserver')
    .map(([, server = '']) => server);
}

/** resolv.conf(5). `--dns` replaces all servers, `--dns-search .` clears the search list, `--dns-option` replaces the options. */
export function resolvText(base: string, request: ResolverWishes, connection: Connection): string {
  const entries = base.split('\n').map(words);
  const given = (word: string): string[] => entries.filter(([first]) => first === word).flatMap(([, ...rest]) => rest);
  const shared = connection.mode === 'host' || connection.mode === 'container' || connection.mode === 'ns';
  const reachable = nameserversOf(base).filter(server => shared || !isLoopback(server));
  const own = connection.nameservers ?? [];
  const servers = connection.ownResolver === true ? own : request.dns.length > 0 ? request.dns : [...own, ...reachable];
  const search =
    request.dnsSearch.length > 0
      ? request.dnsSearch.filter(domain => domain !== '.')
      : [...(connection.search ?? []), ...given('search')];
  const options = request.dnsOptions.length > 0 ? request.dnsOptions : given('options');
  const lines: string[] = [];
  if (search.length > 0) lines.push(`search ${search.join(' ')}`);
  for (const server of servers) lines.push(`nameserver ${server}`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return lines.map(line => `${line}\n`).join('');
}

const isLoopback = (server: string): boolean => server.startsWith('127.') || server === '::1';
