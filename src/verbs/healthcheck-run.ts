import { HEALTHCHECK_RUN } from '../command/options-container.ts';
import type { Host } from '../host/host.ts';
import type { Spec } from '../plan/spec.ts';
import { openPayload, requireContainer } from '../run/containers.ts';
import { execProcess, withSecrets } from '../run/exec-process.ts';
import { Failure } from '../run/failure.ts';
import { refuseFrozen } from '../run/freezer.ts';
import { connectOnce } from '../run/health-start.ts';
import { joinContainer } from '../run/join.ts';
import type { ContainerState, HealthState } from '../run/state.ts';
import { attacher } from './attacher.ts';
import { verb } from './edge.ts';

const SIGKILL = 9;

/** `berth healthcheck run`: the container's check once, now (podman-healthcheck-run(1)): 0 well, 1 `unhealthy`, 125 it could not be made. */
export const main: (host: Host) => number = verb(HEALTHCHECK_RUN, (host, command) => {
  const [word = ''] = command.operands;
  const { state, bundle } = requireContainer(host, word);
  const { health } = state;
  if (health === undefined || (health.command.length === 0 && health.connection === undefined))
    throw new Failure(125, `${word}: container has no health check`);
  const payload = openPayload(host, state);
  if (payload === undefined) throw new Failure(125, `${word}: container is not running`);
  refuseFrozen(host, state, word);
  const spec = JSON.parse(host.readFile(`${bundle}/config.json`)) as Spec;
  const well =
    health.connection === undefined
      ? runOnce(host, { state, bundle, spec, payload, health })
      : connectOnce(host, spec, payload, health);
  if (well) return 0;
  host.write(1, 'unhealthy\n');
  return 1;
});

interface Asked {
  readonly state: ContainerState;
  readonly bundle: string;
  readonly spec: Spec;
  readonly payload: number;
  readonly health: HealthState;
}

function runOnce(host: Host, { state, bundle, spec, payload, health }: Asked): boolean {
  if (spec.process === undefined) throw new Failure(125, `${bundle}/config.json: has no process`);
  const group = state.cgroup === '' ? '' : `/sys/fs/cgroup${state.cgroup}`;
  const attach = attacher(host, state, group);
  const { stage } = joinContainer(host, {
    spec,
    process: execProcess(host, state.pid, withSecrets(host, bundle, spec.process), {
      command: health.command,
      environment: [],
      tty: false,
    }),
    defaultSeccomp: state.defaultSeccomp === true,
    payload,
    group,
    stdio: ['null', 'null', 'null'],
    ...(attach === undefined ? {} : { attach }),
  });
  if (host.poll([stage.pidfd], health.timeout).length === 0) host.signal(stage.pidfd, SIGKILL);
  return host.attend(stage, { forward: [], child: true }).status === 0;
}
