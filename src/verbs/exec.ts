import { EXEC } from '../command/options-container.ts';
import { allValues, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import { HostError, type Host, type Launched } from '../host/host.ts';
import type { Spec } from '../plan/spec.ts';
import { openPayload, requireContainer } from '../run/containers.ts';
import { execProcess, withSecrets } from '../run/exec-process.ts';
import { Failure } from '../run/failure.ts';
import { FORWARDED, statusOf } from '../run/finish.ts';
import { runtimeError } from '../run/foreign.ts';
import { joinForeign } from '../run/foreign-exec.ts';
import { refuseFrozen } from '../run/freezer.ts';
import { joinContainer } from '../run/join.ts';
import { attacher } from './attacher.ts';
import { verb } from './edge.ts';

/** `berth exec`: a further process in a running container; its exit status is ours. */
export const main: (host: Host) => number = verb(EXEC, (host, command) => {
  const [word = '', ...words] = command.operands;
  const { state, bundle } = requireContainer(host, word);
  const payload = openPayload(host, state);
  if (payload === undefined) throw new Failure(125, `${word}: container is not running`);
  refuseFrozen(host, state, word);
  const group = state.cgroup === '' ? '' : `/sys/fs/cgroup${state.cgroup}`;
  const attach = attacher(host, state, group);
  const spec = JSON.parse(host.readFile(`${bundle}/config.json`)) as Spec;
  if (spec.process === undefined) throw new Failure(125, `${bundle}/config.json: has no process`);
  const detach = isSet(command, 'detach');
  // Its terminal would be closed with our end, and the process with that (SIGHUP).
  const tty = isSet(command, 'tty') && !detach;
  const foreign = state.runtime !== '' && state.runtime !== 'berth';
  // The other runtime has made its root below the one that our stage has.
  const root = foreign ? `/proc/${state.pid}/root${spec.root.path}` : state.pid;
  const process = execProcess(host, root, withSecrets(host, bundle, spec.process), {
    command: words,
    environment: environmentOf(host, command),
    tty,
    ...optional('workdir', lastValue(command, 'workdir')),
    ...optional('user', lastValue(command, 'user')),
  });
  const interactive = isSet(command, 'interactive') && !detach;
  const output = detach ? 'null' : 'inherit';
  const stdio = [interactive ? 'inherit' : 'null', output, output] as const;
  const common = { process, payload, group, ...(attach === undefined ? {} : { attach }) };
  if (foreign) {
    const { stage, directory, terminal, unread } = joinForeign(host, { ...common, state, bundle, detach, stdio, tty });
    try {
      // Detached, too: the other runtime comes back as soon as the process runs.
      const status = attend(host, stage, terminal);
      if (unread || (detach && status !== 0)) throw new Failure(status, runtimeError(host, directory));
      return status;
    } finally {
      host.removeTree(directory);
    }
  }
  const joined = joinContainer(host, {
    ...common,
    spec,
    defaultSeccomp: state.defaultSeccomp === true,
    stdio: tty ? ['null', 'null', 'null'] : stdio,
  });
  const { outcome } = joined;
  if (detach) return detached(outcome);
  return attend(host, joined.stage, joined.terminal);
});

/** To the end of the process; its status. */
function attend(host: Host, stage: Launched, terminal: number | undefined): number {
  const own = terminal === undefined ? {} : { terminal, detachable: true };
  return statusOf(host.attend(stage, { forward: FORWARDED, child: true, ...own }));
}

/** `STEP ERRNO EXIT TEXT` of a failed exec; the stage's own line went where the payload's output goes: nowhere. */
function detached(outcome: string): number {
  if (outcome === '') return 0;
  const [step = '', , status = '125', ...text] = outcome.split(' ');
  throw new Failure(Number(status), `${step} ${text.join(' ')}`);
}

function environmentOf(host: Host, command: Command): string[] {
  const pairs: string[] = [];
  for (const file of allValues(command, 'env-file')) pairs.push(...readEnvironmentFile(host, file));
  for (const value of allValues(command, 'env')) pairs.push(...resolved(host, value));
  return pairs;
}

/** `NAME` alone takes our value; when we have none it stays unset. */
function resolved(host: Host, word: string): string[] {
  if (word.includes('=')) return [word];
  const value = host.environment(word);
  return value === undefined ? [] : [`${word}=${value}`];
}

function readEnvironmentFile(host: Host, file: string): string[] {
  try {
    return host
      .readFile(file, 1 << 20)
      .split('\n')
      .map(line => line.trimStart())
      .filter(line => line !== '' && !line.startsWith('#'))
      .flatMap(line => resolved(host, line));
  } catch (error) {
    if (error instanceof HostError) throw new Failure(125, `--env-file ${error.message}`);
    throw error;
  }
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}
