import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import { HostError, type Host } from '../host/host.ts';
import type { PortRequest } from '../plan/request.ts';
import type { NetworkPlace } from '../run/parts.ts';
import type { ProcessName } from '../run/state.ts';
import { bindProblem, freePorts, unitEndsIt } from './ports.ts';

/** Connects clients of published TCP ports from inside the container, with their own addresses: native/ports/main.c. */
const CARRIER = '/usr/lib/berth/ports';
/** Of the program: the kernel, or the unit, forbids what it needs in the container. */
const IMPOSSIBLE = 2;

/** Starts it in our control group; undefined where it cannot carry these ports, or cannot be here: then pasta does. */
export function startCarrier(
  host: Host,
  wanted: readonly PortRequest[],
  place: NetworkPlace,
): Result<ProcessName | undefined, Problem> {
  if (!wanted.every(port => port.protocol === 'tcp')) return ok(undefined);
  return freePorts(host, wanted).andThen(ports => {
    const life = unitEndsIt(host) ? '-' : String(place.pid);
    const argv = [CARRIER, life, `/proc/${place.pid}/ns/user`, place.netnsPath, ...ports.map(forward)];
    const ran = run(host, argv);
    if (ran.isErr()) return err(ran.error);
    const { status, stdout, stderr } = ran.value;
    if (status === IMPOSSIBLE) return ok(undefined);
    if (status !== 0) return err(carrierProblem(host, ports, stderr));
    const pid = Number(stdout.trim());
    return ok({ pid, startTime: host.startTime(pid) ?? '' });
  });
}

/** `[ADDRESS/]FIRST-LAST:TARGET` */
function forward(port: PortRequest): string {
  const address = port.hostAddress === '' ? '' : `${port.hostAddress}/`;
  return `${address}${port.hostPort}-${port.hostPort + port.count - 1}:${port.port}`;
}

function run(
  host: Host,
  argv: readonly string[],
): Result<{ status?: number; stdout: string; stderr: string }, Problem> {
  try {
    return ok(host.run({ argv, stdout: 'capture', stderr: 'capture', timeout: 30_000 }));
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'ENOENT') throw error;
    return err(problem('carrier-missing', `${CARRIER} is missing`, { hint: 'install the package berth again' }));
  }
}

/** Its line is `ports: port NUMBER: REASON`, where a port is the cause. */
function carrierProblem(host: Host, ports: readonly PortRequest[], said: string): Problem {
  const [line = ''] = said.trim().split('\n');
  const [, number, reason = ''] = /^ports: port (\d+): (.*)$/.exec(line) ?? [];
  const found = number === undefined ? undefined : bindProblem(host, ports, Number(number), reason);
  return found ?? problem('carrier', line === '' ? `${CARRIER} failed` : line);
}
