import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import { HostError, type Host } from '../host/host.ts';
import type { PortRequest } from '../plan/request.ts';
import { isRunning, listContainers } from '../run/containers.ts';
import { parseAddress } from './ip.ts';

interface Listener {
  /** Hexadecimal as in /proc/net; only zeros: every address. */
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/** Gives a number to each request that leaves the host's port open: a random run of free ports of the dynamic range. */
export function choosePorts(host: Host, ports: readonly PortRequest[]): PortRequest[] {
  if (ports.every(port => port.hostPort !== 0)) return [...ports];
  // Those of containers first: what netavark publishes has no listener.
  const taken = new Set(listContainers(host).flatMap(one => one.state?.ports.map(port => port.hostPort) ?? []));
  for (const protocol of ['tcp', 'udp']) for (const { port } of listeners(host, protocol)) taken.add(port);
  for (const port of ports) if (port.hostPort !== 0) for (let i = 0; i < port.count; i++) taken.add(port.hostPort + i);
  return ports.map(port => {
    if (port.hostPort !== 0) return port;
    const first = freeRun(host, taken, port.count);
    for (let i = 0; i < port.count; i++) taken.add(first + i);
    return { ...port, hostPort: first };
  });
}

function freeRun(host: Host, taken: ReadonlySet<number>, count: number): number {
  const [low = 32768, high = 60999] = (host.readFileIfExists('/proc/sys/net/ipv4/ip_local_port_range') ?? '')
    .trim()
    .split(/\s+/)
    .filter(word => word !== '')
    .map(Number);
  const start = parseInt(host.random(4), 16);
  const places = Math.max(high - low + 2 - count, 1);
  for (let i = 0; i < places; i++) {
    const first = low + ((start + i) % places);
    let length = 0;
    while (length < count && !taken.has(first + length)) length++;
    if (length === count) return first;
  }
  return low;
}

/** The first port of a request that something on this host listens on already; undefined when all are free. */
export function takenPort(host: Host, request: PortRequest): number | undefined {
  const last = request.hostPort + request.count - 1;
  const wanted = request.hostAddress === '' ? undefined : procAddress(request.hostAddress);
  for (const one of listeners(host, request.protocol)) {
    if (one.port < request.hostPort || one.port > last) continue;
    if (wanted === undefined || meets(one.address, wanted)) return one.port;
    const both = wanted.length === 8 && one.address === ANY6;
    if (both && !isOfOneFamily(host, request.protocol, one)) return one.port;
  }
  return undefined;
}

const ANY6 = '0'.repeat(32);

/** Of one family: the same address, or one of them has all. */
const meets = (one: string, other: string): boolean =>
  one.length === other.length && (one === other || /^0+$/.test(one) || /^0+$/.test(other));

/**
 * Who has all addresses of IPv6 has those of IPv4, too, unless the socket says IPV6_V6ONLY (nginx's do): ss(8) shows it, /proc does not. Without
 * ss it counts as taken.
 */
function isOfOneFamily(host: Host, protocol: string, { port, inode }: Listener): boolean {
  const argv = ['ss', '-6Hlne', protocol === 'udp' ? '-u' : '-t', 'sport', '=', `:${port}`];
  try {
    const { stdout } = host.run({ argv, environment: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], stdout: 'capture' });
    return stdout.split('\n').some(line => line.includes(` ino:${inode} `) && / v6only:1\b/.test(line));
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}

/** With chosen numbers, when all are free: a program that binds them is content with one of several addresses, or names no holder. */
export function freePorts(host: Host, wanted: readonly PortRequest[]): Result<PortRequest[], Problem> {
  const ports = choosePorts(host, wanted);
  for (const port of ports) {
    const taken = takenPort(host, port);
    if (taken !== undefined) return err(portInUse(host, port.protocol, taken));
  }
  return ok(ports);
}

/** Why a port of ours could not be bound, of the kernel's reason in words; undefined when it is none of ours, or the reason is none of a port. */
export function bindProblem(
  host: Host,
  ports: readonly PortRequest[],
  number: number,
  reason: string,
): Problem | undefined {
  const found = ports.filter(one => number >= one.hostPort && number < one.hostPort + one.count);
  const [port] = found;
  if (port === undefined) return undefined;
  if (/permission/i.test(reason)) {
    return problem('port-privileged', `port ${number} may not be published by this account`, {
      hint: 'use a port from net.ipv4.ip_unprivileged_port_start (sysctl) on, or lower that limit',
    });
  }
  if (/assign/i.test(reason)) {
    const addresses = found.map(one => one.hostAddress).filter(address => address !== '');
    return problem('port-address', `port ${number}: ${addresses.join(' or ')} is no address of this host`);
  }
  return /in use/i.test(reason) ? portInUse(host, port.protocol, number) : undefined;
}

/** In a unit systemd ends what is left of it. */
export function unitEndsIt(host: Host): boolean {
  return host.environment('NOTIFY_SOCKET') !== undefined && host.environment('INVOCATION_ID') !== undefined;
}

/** As /proc/net/tcp and tcp6 write an address on a little-endian machine: words of 32 bits with their bytes reversed. */
export function procAddress(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) return text;
  const bytes = Array.from({ length: address.family === 4 ? 4 : 16 }, (_, i) =>
    Number((address.value >> BigInt(8 * i)) & 255n),
  );
  const words = Array.from({ length: bytes.length / 4 }, (_, i) =>
    bytes
      .slice(4 * i, 4 * i + 4)
      .map(hexByte)
      .join(''),
  );
  return words.reverse().join('');
}

function hexByte(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}

/** One line that names the port and, where it can be seen, who listens there. */
export function portInUse(host: Host, protocol: string, port: number): Problem {
  const holder = containerWith(host, protocol, port) ?? describeHolder(host, protocol, port);
  return problem('port-in-use', `port ${port}/${protocol} is in use${holder === '' ? '' : ` by ${holder}`}`);
}

/** A container of ours; what carries its ports shows nobody what it listens on. */
function containerWith(host: Host, protocol: string, port: number): string | undefined {
  const found = listContainers(host).find(
    ({ state }) =>
      state !== undefined &&
      isRunning(host, state) &&
      state.ports.some(one => one.hostPort === port && one.protocol === protocol),
  );
  if (found === undefined) return undefined;
  const unit = found.state?.unit ?? '';
  return `container ${found.name}${unit === '' ? '' : ` (${unit})`}`;
}

/** Who listens: `nginx (process 12, nginx.service)`, as far as /proc lets us see; otherwise empty. */
function describeHolder(host: Host, protocol: string, port: number): string {
  const inodes = new Set(
    listeners(host, protocol)
      .filter(one => one.port === port)
      .map(one => `socket:[${one.inode}]`),
  );
  if (inodes.size === 0) return '';
  for (const { name } of host.list('/proc')) {
    if (!/^[0-9]+$/.test(name) || !holds(host, name, inodes)) continue;
    const command = (host.readFileIfExists(`/proc/${name}/comm`) ?? '').trim();
    const group = (host.readFileIfExists(`/proc/${name}/cgroup`) ?? '')
      .split('\n')
      .find(line => line.startsWith('0::'));
    const unit = group?.split('/').find(part => /\.(service|scope)$/.test(part) && !part.startsWith('user@'));
    return `${command} (process ${name}${unit === undefined ? '' : `, ${unit}`})`;
  }
  return '';
}

function holds(host: Host, pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return host.list(`/proc/${pid}/fd`).some(({ name }) => inodes.has(host.readlink(`/proc/${pid}/fd/${name}`)));
  } catch (error) {
    if (error instanceof HostError) return false; // another user's, or gone
    throw error;
  }
}

/** /proc/net/tcp and the like (proc_pid_net(5)): state 0A is LISTEN; a bound UDP socket without a peer has state 07. */
function listeners(host: Host, protocol: string): Listener[] {
  if (protocol === 'sctp') return sctpEndpoints(host);
  const state = protocol === 'udp' ? '07' : '0A';
  const found: Listener[] = [];
  for (const file of [protocol, `${protocol}6`]) {
    for (const line of (host.readFileIfExists(`/proc/net/${file}`) ?? '').split('\n').slice(1)) {
      const [, local = '', , current, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (current !== state) continue;
      const [address = '', port = ''] = local.split(':');
      // `::ffff:127.0.0.1` of a socket for both families.
      found.push({ address: address.replace(/^0{16}FFFF0000/, ''), port: parseInt(port, 16), inode });
    }
  }
  return found;
}

/** /proc/net/sctp/eps, where the kernel has SCTP: ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS; all addresses that it has are listed. */
function sctpEndpoints(host: Host): Listener[] {
  const lines = (host.readFileIfExists('/proc/net/sctp/eps') ?? '').split('\n').slice(1);
  return lines.flatMap(line => {
    const [, , , , , port, , inode = ''] = line.trim().split(/\s+/);
    return port === undefined ? [] : [{ address: '0'.repeat(32), port: Number(port), inode }];
  });
}
