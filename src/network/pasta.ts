import { err, ok, type Result } from '../base/result.ts';
import { problem, type Problem } from '../base/problem.ts';
import { HostError, type Host } from '../host/host.ts';
import type { PortRequest, RunRequest } from '../plan/request.ts';
import type { NetworkPlace, NetworkState } from './network.ts';

interface PastaData {
  readonly pid: number;
  readonly startTime: string;
}

/** The resolver that pasta answers for inside, and the address of the host as containers know it (as Podman sets them). */
export const DNS_FORWARD = '169.254.1.1';
export const HOST_ADDRESS = '169.254.1.2';

/** Starts pasta on the namespaces of the stage; it puts itself into the background when the interface is there (passt(1)). */
export function startPasta(
  host: Host,
  request: RunRequest,
  place: NetworkPlace,
  options: string,
): Result<NetworkState, Problem> {
  if (place.uid === 0) {
    return err(
      problem('pasta-root', 'pasta does not run as root', {
        hint: 'leave Network= out for the bridge network, or use host or none',
      }),
    );
  }
  const pidFile = `${place.bundle}/pasta.pid`;
  const extra = options === '' ? [] : options.split(',');
  let result;
  try {
    result = host.run({
      argv: [
        ...['pasta', '--config-net', '--pid', pidFile, '--dns-forward', DNS_FORWARD, '--map-guest-addr', HOST_ADDRESS],
        ...forwards(request.ports),
        ...['-T', 'none', '-U', 'none', '--no-map-gw', '--quiet', ...extra],
        ...['--userns', `/proc/${place.pid}/ns/user`, '--netns', place.netnsPath],
      ],
      environment: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
      stdout: 'capture',
      stderr: 'capture',
    });
  } catch (error) {
    if (error instanceof HostError && error.code === 'ENOENT') {
      return err(problem('pasta-missing', 'pasta is not installed', { hint: 'install the package passt' }));
    }
    throw error;
  }
  if (result.status !== 0) return err(problem('pasta', `pasta: ${lastLine(result.stderr)}`));
  const pid = Number((host.readFileIfExists(pidFile) ?? '').trim());
  const startTime = host.startTime(pid) ?? '';
  return ok({ kind: 'pasta', data: { pid, startTime } satisfies PastaData });
}

/** Ends pasta and waits until it is gone: a restart must not meet its own port. */
export function stopPasta(host: Host, state: NetworkState): Result<void, Problem[]> {
  const { pid, startTime } = state.data as PastaData;
  const fd = host.openProcess(pid);
  if (fd === undefined) return ok(undefined);
  try {
    if (host.startTime(pid) === startTime && host.signal(fd, 9)) host.poll([fd], 5000);
  } finally {
    host.close(fd);
  }
  return ok(undefined);
}

function forwards(ports: readonly PortRequest[]): string[] {
  const words: string[] = [];
  for (const [option, protocol] of [
    ['-t', 'tcp'],
    ['-u', 'udp'],
  ] as const) {
    const wanted = ports.filter(port => port.protocol === protocol);
    if (wanted.length === 0) words.push(option, 'none');
    for (const port of wanted) words.push(option, forward(port));
  }
  return words;
}

/** `[ADDRESS/]FIRST[-LAST]:FIRST[-LAST]` */
function forward(port: PortRequest): string {
  const range = (first: number): string => (port.count > 1 ? `${first}-${first + port.count - 1}` : String(first));
  const address = port.hostAddress === '' ? '' : `${port.hostAddress}/`;
  return `${address}${range(port.hostPort)}:${range(port.port)}`;
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
