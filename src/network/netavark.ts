import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Host } from '../host/host.ts';
import type { PortRequest } from '../plan/request.ts';
import { DIRECTORY } from './ipam.ts';

/** A container's place in the network `berth`. */
export interface Attachment {
  readonly name: string;
  readonly id: string;
  readonly address: string;
  readonly mac?: string;
  readonly interfaceName?: string;
  readonly ports: readonly PortRequest[];
  readonly aliases: readonly string[];
  readonly subnet: string;
  readonly gateway: string;
}

/** Any name of 64 hexadecimal digits; netavark names its chains by the first eight. */
const NETWORK_ID = '6265727468'.padEnd(64, '0');
const PLACES = ['/usr/lib/podman/netavark', '/usr/libexec/podman/netavark', '/usr/local/libexec/podman/netavark'];

/** netavark's input (netavark(1), "setup"): the JSON that Podman hands it. */
export function networkConfiguration(at: Attachment): string {
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
    networks: {
      berth: {
        static_ips: [at.address],
        interface_name: at.interfaceName ?? 'eth0',
        aliases: at.aliases,
        ...(at.mac === undefined ? {} : { static_mac: at.mac }),
      },
    },
    network_info: {
      berth: {
        name: 'berth',
        id: NETWORK_ID,
        driver: 'bridge',
        network_interface: 'berth0',
        subnets: [{ subnet: at.subnet, gateway: at.gateway }],
        ipv6_enabled: false,
        internal: false,
        dns_enabled: false,
        ipam_options: { driver: 'host-local' },
      },
    },
  });
}

/** The same attachment with nothing published. */
export function withoutPorts(configuration: string): string {
  return JSON.stringify({ ...(JSON.parse(configuration) as object), port_mappings: [] });
}

/** Runs netavark; its error is one line. A teardown that finds no interface in the namespace has done what was left to do. */
export function runNetavark(
  host: Host,
  verb: 'setup' | 'teardown',
  netns: string,
  configuration: string,
): Result<void, Problem> {
  const program = PLACES.find(path => host.access(path, 1));
  if (program === undefined) {
    const hint = 'install the package netavark, or use --network host or none';
    return err(problem('netavark-missing', 'netavark is not installed', { hint }));
  }
  const ran = host.run({
    argv: [program, '--config', DIRECTORY, '--rootless', 'false', verb, netns],
    environment: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'NETAVARK_FW=nftables'],
    input: configuration,
    stdout: 'capture',
    stderr: 'capture',
    timeout: 60_000,
  });
  if (ran.status === 0) return ok(undefined);
  const said = errorOf(ran.stdout) ?? lastLine(ran.stderr) ?? 'it failed';
  if (verb === 'teardown' && /no such device|not found/i.test(said) && /veth|interface|link|route/i.test(said)) {
    return ok(undefined);
  }
  const hint =
    /\bnft\b/.test(said) && /no such file|not found/i.test(said) ? 'install the package nftables' : undefined;
  return err(problem('netavark', `netavark ${verb}: ${said}`, hint === undefined ? {} : { hint }));
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
