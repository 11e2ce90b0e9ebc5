import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import { HostError, type Host } from '../host/host.ts';
import type { PortRequest, RunRequest } from '../plan/request.ts';
import type { NetworkPlace } from '../run/parts.ts';
import type { ProcessName } from '../run/state.ts';
import { addressesOf } from './addresses.ts';
import type { Connected } from './network.ts';
import { bindProblem, freePorts, unitEndsIt } from './ports.ts';

/** Kept in state.json: the process that must end before the unit counts as stopped. */
export type PastaData = ProcessName;

/** The resolver that pasta answers for inside, and the address of the host as containers know it (as Podman sets them). */
export const DNS_FORWARD = '169.254.1.1';
export const HOST_ADDRESS = '169.254.1.2';
/** As the container of a bridge sees it. */
const PORTS_INTERFACE = 'host0';
const SIGTERM = 15;
const SIGKILL = 9;

/**
 * Starts pasta(1) on the namespaces of the stage. It goes to the background when the interface is there, so its first process
 * is waited for; the second stays in our control group.
 */
export function startPasta(
  host: Host,
  request: RunRequest,
  place: NetworkPlace,
  options: string,
): Result<Connected, Problem> {
  if (place.uid === 0) {
    const hint = 'leave it out for the bridge network, or use host or none';
    return err(problem('pasta-root', '--network pasta: pasta does not run as root', { hint }));
  }
  const started = startProcess(host, request.ports, place, options === '' ? [] : options.split(','));
  return started.map(data => ({
    state: { kind: 'pasta', data, process: data },
    connection: {
      mode: 'pasta',
      addresses: addressesOf(host, place.pid),
      hostAddress: HOST_ADDRESS,
      nameservers: [DNS_FORWARD],
    },
  }));
}

/** A further interface for a container of bridges, with its published ports and the way out. */
export function startPorts(host: Host, ports: readonly PortRequest[], place: NetworkPlace): Result<PastaData, Problem> {
  return startProcess(host, ports, place, ['--ns-ifname', PORTS_INTERFACE]);
}

function startProcess(
  host: Host,
  wanted: readonly PortRequest[],
  place: NetworkPlace,
  extra: readonly string[],
): Result<PastaData, Problem> {
  const sctp = wanted.find(port => port.protocol === 'sctp');
  if (sctp !== undefined) return err(problem('pasta-sctp', `--publish ${sctp.hostPort}: pasta does not carry sctp`));
  const free = freePorts(host, wanted);
  if (free.isErr()) return err(free.error);
  const ports = free.value;
  const pidFile = `${place.bundle}/pasta.pid`;
  const ran = runPasta(host, [
    ...pastaArguments(ports, extra, unitEndsIt(host)),
    ...['--pid', pidFile, '--userns', `/proc/${place.pid}/ns/user`, '--netns', place.netnsPath],
  ]);
  if (ran.isErr()) return err(ran.error);
  if (ran.value.status !== 0) return err(pastaProblem(host, ports, ran.value.stderr));
  const pid = Number((host.readFileIfExists(pidFile) ?? '').trim());
  return ok({ pid, startTime: host.startTime(pid) ?? '' });
}

/** The way out for the network namespace of an account: no ports, for as long as the namespace is there. `pid` of the process. */
export function startWayOut(host: Host, holder: number, pidFile: string): Result<number, Problem> {
  const at = `/proc/${holder}/ns`;
  const ran = runPasta(host, [
    ...pastaArguments([], [], true),
    ...['--pid', pidFile, '--userns', `${at}/user`, '--netns', `${at}/net`],
  ]);
  if (ran.isErr()) return err(ran.error);
  if (ran.value.status !== 0) return err(pastaProblem(host, [], ran.value.stderr));
  return ok(Number((host.readFileIfExists(pidFile) ?? '').trim()));
}

/** Ends the process that carries a network, or its ports, and waits until it is gone: a restart must not meet its own port. */
export function stopPasta(host: Host, { pid, startTime }: PastaData): Result<void, Problem[]> {
  const fd = pid > 0 ? host.openProcess(pid) : undefined;
  if (fd === undefined) return ok(undefined);
  try {
    if (host.startTime(pid) !== startTime) return ok(undefined);
    for (const [signal, patience] of [
      [SIGTERM, 1000],
      [SIGKILL, 5000],
    ] as const) {
      if (!host.signal(fd, signal) || host.poll([fd], patience).length > 0) return ok(undefined);
    }
    return err([problem('pasta-stays', `the network's process ${pid} does not end`)]);
  } finally {
    host.close(fd);
  }
}

/** Podman's arguments; an option of its own in `--network pasta:…` takes the place of the default. */
export function pastaArguments(ports: readonly PortRequest[], extra: readonly string[], stays: boolean): string[] {
  const has = (...names: string[]): boolean =>
    extra.some(word => names.some(name => word === name || word.startsWith(`${name}=`)));
  const words = ['--config-net', ...extra.filter(word => word !== '--map-gw')];
  if (!has('--dns-forward')) words.push('--dns-forward', DNS_FORWARD);
  words.push(...forwards('-t', 'tcp', ports, has('-t', '--tcp-ports')));
  words.push(...forwards('-u', 'udp', ports, has('-u', '--udp-ports')));
  if (!has('-T', '--tcp-ns')) words.push('-T', 'none');
  if (!has('-U', '--udp-ns')) words.push('-U', 'none');
  if (!has('--map-gw', '--no-map-gw')) words.push('--no-map-gw');
  if (!has('--map-guest-addr')) words.push('--map-guest-addr', HOST_ADDRESS);
  // Else it looks every second whether the namespace is still there.
  if (stays) words.push('--no-netns-quit');
  return [...words, '--quiet'];
}

function forwards(option: string, protocol: string, ports: readonly PortRequest[], given: boolean): string[] {
  const wanted = ports.filter(port => port.protocol === protocol);
  if (wanted.length === 0) return given ? [] : [option, 'none'];
  return wanted.flatMap(port => [option, forward(port)]);
}

/** `[ADDRESS/]FIRST-LAST:FIRST-LAST` */
function forward(port: PortRequest): string {
  const range = (first: number): string => `${first}-${first + port.count - 1}`;
  const address = port.hostAddress === '' ? '' : `${port.hostAddress}/`;
  return `${address}${range(port.hostPort)}:${range(port.port)}`;
}

function runPasta(host: Host, words: readonly string[]): Result<{ status?: number; stderr: string }, Problem> {
  try {
    return ok(
      host.run({
        argv: ['pasta', ...words],
        environment: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
        stdout: 'capture',
        stderr: 'capture',
        timeout: 30_000,
      }),
    );
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'ENOENT') throw error;
    const hint = 'install the package passt, or use --network host or none';
    return err(problem('pasta-missing', 'pasta is not installed', { hint }));
  }
}

/** pasta's own last line, made shorter and clearer where the cause is a port. */
function pastaProblem(host: Host, ports: readonly PortRequest[], said: string): Problem {
  const line = said.trim().split('\n').at(-1) ?? '';
  const bound = /Failed to bind (?:any )?ports? (\d+)?.*?\((.*?)\)/.exec(said);
  const number = bound?.[1] ?? String(ports[0]?.hostPort);
  const found = bound === null ? undefined : bindProblem(host, ports, Number(number), bound[2] ?? '');
  return found ?? problem('pasta', `pasta: ${line === '' ? 'it failed' : line}`);
}
