import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Host } from '../host/host.ts';
import type { PortRequest } from '../plan/request.ts';
import { leaseHint } from './dhcp.ts';
import { networkDirectory } from './ipam.ts';
import type { NamespaceRecord } from './namespace.ts';
import type { NetworkRecord } from './records.ts';

/** A container's place in its networks. */
export interface Placement {
  readonly name: string;
  readonly id: string;
  readonly ports: readonly PortRequest[];
  readonly dns: readonly string[];
  readonly networks: readonly {
    readonly record: NetworkRecord;
    readonly addresses: readonly string[];
    readonly interfaceName: string;
    readonly mac?: string;
    readonly aliases: readonly string[];
  }[];
}

const DIRECTORIES = ['/usr/lib/podman', '/usr/libexec/podman', '/usr/local/libexec/podman'];

/** netavark's input (netavark(1), "setup"): the JSON that Podman hands it. */
export function networkConfiguration(at: Placement): string {
  const entries = at.networks.map(({ record, addresses, interfaceName, aliases, mac }) => [
    record.name,
    {
      static_ips: addresses,
      interface_name: interfaceName,
      aliases,
      ...(mac === undefined ? {} : { static_mac: mac }),
    },
  ]);
  return JSON.stringify({
    container_id: at.id,
    container_name: at.name,
    port_mappings: at.ports.map(port => ({
      host_ip: port.hostAddress,
      container_port: port.port,
      host_port: port.hostPort,
      range: port.count,
      protocol: port.protocol,
    })),
    ...(at.dns.length === 0 ? {} : { dns_servers: at.dns }),
    networks: Object.fromEntries(entries) as unknown,
    network_info: Object.fromEntries(at.networks.map(({ record }) => [record.name, record])) as unknown,
  });
}

/** The same attachment with nothing published. */
export function withoutPorts(configuration: string): string {
  return JSON.stringify({ ...(JSON.parse(configuration) as object), port_mappings: [] });
}

/** Of an attachment's configuration: what is of one network, and the rest. */
export function divided(configuration: string, network: string): { one: string; rest: string } {
  const all = JSON.parse(configuration) as { networks: Json; network_info: Json };
  const pick = (wanted: boolean): string => {
    const of = (table: Json): Json =>
      Object.fromEntries(Object.entries(table).filter(([key]) => (key === network) === wanted));
    return JSON.stringify({ ...all, networks: of(all.networks), network_info: of(all.network_info) });
  };
  return { one: pick(true), rest: pick(false) };
}

type Json = Readonly<Record<string, unknown>>;

/** The lowest `ethN` that none of these configurations has given to an interface. */
export function freeInterface(configurations: readonly string[]): string {
  const taken = configurations.flatMap(text =>
    Object.values((JSON.parse(text) as { networks: Record<string, { interface_name: string }> }).networks).map(
      one => one.interface_name,
    ),
  );
  let number = 0;
  while (taken.includes(`eth${number}`)) number++;
  return `eth${number}`;
}

/** What netavark says of the names in the networks. */
export interface NetavarkAnswer {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  /** Of the container's interfaces. */
  readonly addresses: readonly string[];
}

/** The program of a name where packages put it. */
export function helperPath(host: Host, name: string): string | undefined {
  return DIRECTORIES.map(directory => `${directory}/${name}`).find(path => host.access(path, 1));
}

/** nsenter(1) in front of a command: into the namespaces of an account's networks. */
export function within(inside: NamespaceRecord | undefined): string[] {
  if (inside === undefined) return [];
  const at = `/proc/${inside.pid}/ns`;
  return ['/usr/bin/nsenter', `--user=${at}/user`, `--net=${at}/net`, '--preserve-credentials', '--'];
}

/**
 * What netavark starts when no aardvark-dns runs (names.ts): of root's a script that asks systemd for the unit. An account's unit is there already;
 * when its server has just died systemd is about to start another, which reads what netavark has written.
 */
const STARTER = '/usr/lib/berth/start-names';
const NO_STARTER = '/usr/bin/true';
/** Without systemd-run, by which netavark would start it. */
const PATH = 'PATH=/usr/sbin:/sbin';
/** firewalld serves the host's namespace: netavark need not look for it on the bus. */
const NO_BUS = 'DBUS_SYSTEM_BUS_ADDRESS=unix:path=/dev/null';

/**
 * Runs netavark; its error is one line. A teardown that finds no interface in the namespace has done what was left to do. With the
 * firewall `none` it leaves the rules as they are.
 */
export function runNetavark(
  host: Host,
  verb: 'setup' | 'teardown',
  netns: string,
  configuration: string,
  inside?: NamespaceRecord,
  firewall: 'nftables' | 'none' = 'nftables',
): Result<NetavarkAnswer, Problem> {
  const netavark = helperPath(host, 'netavark');
  if (netavark === undefined) {
    const hint = 'install the package netavark, or use --network host or none';
    return err(problem('netavark-missing', 'netavark is not installed', { hint }));
  }
  const aardvark = helperPath(host, 'aardvark-dns');
  const starter = inside === undefined ? STARTER : NO_STARTER;
  const names = aardvark === undefined ? [] : ['--aardvark-binary', starter];
  if (names.length === 0 && /"dns_enabled":true/.test(configuration)) {
    const hint = 'install the package aardvark-dns, or make the network with --disable-dns';
    return err(problem('aardvark-missing', 'aardvark-dns is not installed', { hint }));
  }
  const ran = host.run({
    argv: [
      ...within(inside),
      ...[netavark, '--config', networkDirectory(host), '--rootless', String(inside !== undefined)],
      ...[...names, verb, netns],
    ],
    environment: [
      ...[PATH, `NETAVARK_FW=${firewall}`, `AARDVARK_DNS=${aardvark ?? ''}`],
      ...(inside === undefined ? [] : [NO_BUS]),
    ],
    input: configuration,
    stdout: 'capture',
    stderr: 'capture',
    timeout: 60_000,
  });
  if (ran.status === 0) return ok(answerOf(ran.stdout));
  const said = errorOf(ran.stdout) ?? lastLine(ran.stderr) ?? 'it failed';
  if (verb === 'teardown' && /no such device|not found/i.test(said) && /veth|interface|link|route/i.test(said)) {
    return ok(NOTHING);
  }
  const hint =
    /\bnft\b/.test(said) && /no such file|not found/i.test(said) ? 'install the package nftables' : leaseHint(said);
  const short = said.replace(/(dhcp proxy error): .*message: "([^"]*)".*/, '$1: $2');
  return err(problem('netavark', `netavark ${verb}: ${short}`, hint === undefined ? {} : { hint }));
}

const NOTHING: NetavarkAnswer = { nameservers: [], search: [], addresses: [] };

/** `{NETWORK: {dns_server_ips, dns_search_domains, interfaces}}` */
function answerOf(stdout: string): NetavarkAnswer {
  try {
    const networks = Object.values(JSON.parse(stdout) as Record<string, Record<string, unknown>>);
    const all = (key: string): string[] => {
      const words = networks.flatMap(one => (Array.isArray(one[key]) ? (one[key] as unknown[]) : []));
      return [...new Set(words.filter(word => typeof word === 'string'))];
    };
    const addresses = [...stdout.matchAll(/"ipnet":"([^"/]+)\//g)].map(([, address = '']) => address);
    return { nameservers: all('dns_server_ips'), search: all('dns_search_domains'), addresses };
  } catch {
    return NOTHING;
  }
}

/** netavark prints `{"error": TEXT}` on its standard output. */
function errorOf(stdout: string): string | undefined {
  try {
    const { error } = JSON.parse(stdout) as { error?: unknown };
    return typeof error === 'string' ? error.replaceAll('\n', ' ') : undefined;
  } catch {
    return undefined;
  }
}

function lastLine(text: string): string | undefined {
  const line = text.trim().split('\n').at(-1) ?? '';
  return line === '' ? undefined : line;
}
