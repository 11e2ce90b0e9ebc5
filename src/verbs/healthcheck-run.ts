import { HEALTHCHECK_RUN } from '../command/options-container.ts';
import type { Host } from '../host/host.ts';
import type { Spec } from '../plan/spec.ts';
import { openPayload, requireContainer } from '../run/containers.ts';
import { execProcess, withSecrets } from '../run/exec-process.ts';
import { Failure } from '../run/failure.ts';
import { refuseFrozen } from '../run/freezer.ts';
import { joinContainer } from '../run/join.ts';
import { attacher } from './attacher.ts';
import { verb } from './edge.ts';

const SIGKILL = 9;

/** `berth healthcheck run`: the container's check once, now (podman-healthcheck-run(1)): 0 well, 1 `unhealthy`, 125 it could not be made. */
export const main: (host: Host) => number = verb(HEALTHCHECK_RUN, (host, command) => {
  const [word = ''] = command.operands;
  const { state, bundle } = requireContainer(host, word);
  if (state.health === undefined) throw new Failure(125, `${word}: container has no health check`);
  const { command: words, timeout } = state.health;
  if (words.length === 0)
    throw new Failure(125, `${word}: its check is a connection, which its relay alone makes; see berth health ${word}`);
  const payload = openPayload(host, state);
  if (payload === undefined) throw new Failure(125, `${word}: container is not running`);
  refuseFrozen(host, state, word);
  const spec = JSON.parse(host.readFile(`${bundle}/config.json`)) as Spec;
  if (spec.process === undefined) throw new Failure(125, `${bundle}/config.json: has no process`);
  const group = state.cgroup === '' ? '' : `/sys/fs/cgroup${state.cgroup}`;
  const attach = attacher(host, state, group);
  const { stage } = joinContainer(host, {
    spec,
    process: execProcess(host, state.pid, withSecrets(host, bundle, spec.process), {
      command: words,
      environment: [],
      tty: false,
    }),
    defaultSeccomp: state.defaultSeccomp === true,
    payload,
    group,
    stdio: ['null', 'null', 'null'],
    ...(attach === undefined ? {} : { attach }),
  });
  if (host.poll([stage.pidfd], timeout).length === 0) host.signal(stage.pidfd, SIGKILL);
  const exit = host.attend(stage, { forward: [], child: true });
  if (exit.status === 0) return 0;
  host.write(1, 'unhealthy\n');
  return 1;
});
