import { HEALTHCHECK_RUN } from '../command/options-container.ts';
import type { Host } from '../host/host.ts';
import type { Spec } from '../plan/spec.ts';
import { openPayload, requireContainer } from '../run/containers.ts';
import { execProcess, withSecrets } from '../run/exec-process.ts';
import { Failure } from '../run/failure.ts';
import { refuseFrozen } from '../run/freezer.ts';
import { askForCheck, readHealth } from '../run/health-results.ts';
import { connectOnce } from '../run/health-start.ts';
import { joinContainer } from '../run/join.ts';
import type { ContainerState, HealthState } from '../run/state.ts';
import { attacher } from './attacher.ts';
import { verb } from './edge.ts';

const SIGKILL = 9;
/** Beside the time of the check: another one may be on its way, or a startup check has a longer one. */
const PATIENCE_MS = 30_000;
const LOOK_MS = 10;
/** Of a time of RFC 3339. */
const UP_TO_MS = '2026-01-01T00:00:00.000'.length;

/** `berth healthcheck run`: the container's check once, now (podman-healthcheck-run(1)), counted as any other: 0 well, 1 `unhealthy`, 125 it could not be made. */
export const main: (host: Host) => number = verb(HEALTHCHECK_RUN, (host, command) => {
  const [word = ''] = command.operands;
  const { state, bundle } = requireContainer(host, word);
  const { health } = state;
  if (health === undefined || (health.command.length === 0 && health.connection === undefined))
    throw new Failure(125, `${word}: container has no health check`);
  const payload = openPayload(host, state);
  if (payload === undefined) throw new Failure(125, `${word}: container is not running`);
  refuseFrozen(host, state, word);
  const asked = new Date(Math.floor(host.now() * 1000)).toISOString();
  const well = askForCheck(host, bundle)
    ? answered(host, { state, word, payload, health }, asked.slice(0, UP_TO_MS))
    : byOurselves(host, { state, bundle, payload, health });
  if (well) return 0;
  host.write(1, 'unhealthy\n');
  return 1;
});

/** The relay's result of a check that began after we had asked. What ends meanwhile, also by HealthOnFailure=, was not well. */
function answered(
  host: Host,
  { state, word, payload, health }: Pick<Asked, 'state' | 'payload' | 'health'> & { word: string },
  asked: string,
): boolean {
  const latest = host.monotonic() + (health.timeout + PATIENCE_MS) * 1000;
  for (;;) {
    const last = readHealth(host, state)?.Log.at(-1);
    if (last !== undefined && last.Start.slice(0, UP_TO_MS) >= asked) return last.ExitCode === 0;
    if (host.poll([payload], LOOK_MS).length > 0) return false;
    if (host.monotonic() > latest)
      throw new Failure(
        125,
        `${word}: the check was not made in time; it waits for the container to be ready, or is paused`,
      );
  }
}

interface Asked {
  readonly state: ContainerState;
  readonly bundle: string;
  readonly payload: number;
  readonly health: HealthState;
}

/** Where no relay is: somebody has killed it. */
function byOurselves(host: Host, asked: Asked): boolean {
  const spec = JSON.parse(host.readFile(`${asked.bundle}/config.json`)) as Spec;
  if (asked.health.connection === undefined) return runOnce(host, spec, asked);
  return connectOnce(host, spec, asked.payload, asked.health);
}

function runOnce(host: Host, spec: Spec, { state, bundle, payload, health }: Asked): boolean {
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
