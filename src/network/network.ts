import { err, ok, type Result } from '../base/result.ts';
import { problem, type Problem } from '../base/problem.ts';
import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import type { ContainerState } from '../run/state.ts';
import { startPasta, stopPasta } from './pasta.ts';

export type NetworkState = ContainerState['network'];

/** What the stage that waits at `created` offers: its pid names its namespaces. */
export interface NetworkPlace {
  readonly pid: number;
  readonly netnsPath: string;
  readonly bundle: string;
  readonly name: string;
  readonly uid: number;
}

/** Connects the new network namespace as the request asks; pasta for an account without a wish. */
export function setUp(host: Host, request: RunRequest, place: NetworkPlace): Result<NetworkState, Problem> {
  writeEtcFiles(host, request, place);
  const wish = request.networks[0] ?? (place.uid === 0 ? 'bridge' : 'pasta');
  const kind = wish.split(':')[0] ?? '';
  if (['none', 'host', 'container', 'ns', 'private'].includes(kind)) return ok({ kind });
  if (kind === 'pasta') return startPasta(host, request, place, wish.slice('pasta:'.length));
  return err(problem('network', `network \`${wish}\` is not available yet`, { hint: 'use none, host or pasta' }));
}

/** Takes down what `setUp` made; running it twice is fine. */
export function tearDown(host: Host, state: NetworkState): Result<void, Problem[]> {
  return state.kind === 'pasta' ? stopPasta(host, state) : ok(undefined);
}

/** /etc/hosts and /etc/resolv.conf of the container; the stage binds them. */
function writeEtcFiles(host: Host, request: RunRequest, place: NetworkPlace): void {
  const added = request.addHosts.map(one => `${one.address}\t${one.name}\n`).join('');
  const name = request.hostname ?? place.name;
  host.writeFile(`${place.bundle}/hosts`, `${added}127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t${name}\n`, 0o644);
  host.writeFile(`${place.bundle}/hostname`, `${name}\n`, 0o644);
  host.writeFile(`${place.bundle}/resolv.conf`, host.readFileIfExists('/etc/resolv.conf') ?? '', 0o644);
}
