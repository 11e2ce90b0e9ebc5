import type { Host } from '../host/host.ts';
import { findContainer, isAlive } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import type { PodRecord } from '../run/pods.ts';

/** A person's container starts its pod, as the peer has it, and no other member; a unit has its pod's unit for that. `program`: berth. */
export function startPodOf(host: Host, program: string, pod: PodRecord): void {
  const holder = findContainer(host, pod.infraName)?.state;
  if (holder === undefined || !isAlive(host, holder)) runPodVerb(host, program, ['start', pod.name], `${ALONE}=1`);
}

/** In the environment of `pod start`: the holder alone. */
export const ALONE = 'BERTH_POD_ALONE';

export function runPodVerb(host: Host, program: string, words: readonly string[], ...variables: string[]): void {
  const environment = [...host.environmentList(), ...variables];
  const argv = [program, 'pod', ...words];
  const { status, stderr } = host.run({ argv, environment, stdout: 'capture', stderr: 'capture' });
  if (status === 0) return;
  const lines = stderr.trim().replace(/^berth: /gm, '');
  throw new Failure(125, lines.split('\n'));
}
