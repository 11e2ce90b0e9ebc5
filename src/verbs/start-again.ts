import type { Host } from '../host/host.ts';
import { programPath } from '../image/archive/program.ts';
import { storeDirectory } from '../image/store.ts';
import { readWay, type Way } from '../run/again.ts';
import { listContainers } from '../run/containers.ts';
import { clearUnit, endUnit, loadedUnit, unitLeft, type Unit } from '../run/ending.ts';
import { Failure } from '../run/failure.ts';
import { readPod } from '../run/pods.ts';
import { ControlError } from '../systemd/bus.ts';
import { runJob, type JobResult, type Line } from '../systemd/jobs.ts';
import { ID_VARIABLE } from '../run/state.ts';
import { startPodOf } from './pod-holder.ts';
import type { Realm } from './scope.ts';

/** As systemctl(1) has them: failed, there is no such unit. */
const FAILED = 1;
const NOT_FOUND = 5;

export interface Outcome {
  readonly status: number;
  /** The first is the error, the others belong to it. */
  readonly lines: readonly string[];
}

/** A unit that systemd does not know may have been that of `run -d`, whose container is still there: then it is made once more. */
export async function startAgain(line: Line, realm: Realm, unit: string): Promise<Outcome> {
  const { host, scope } = realm;
  const name = listContainers(host).find(one => one.state?.unit === unit)?.name ?? unit.replace(/\.service$/, '');
  const own = scope.kind === 'system' ? host.euid === 0 : scope.uid === host.euid;
  const way = own ? readWay(host, storeDirectory(host), name) : undefined;
  if (way === undefined) {
    const line = `${unit}: there is no such unit, and no container ${name} that could be started again (one of run --rm is gone with its end: run it anew)`;
    return { status: NOT_FOUND, lines: [line] };
  }
  if (way.name !== name) {
    const line = `${name}: was made as ${way.name} and renamed since; 'berth rm ${name}' and run it anew`;
    return { status: FAILED, lines: [line] };
  }
  const pod = way.pod === undefined ? undefined : readPod(host, storeDirectory(host), way.pod);
  if (pod !== undefined) startPodOf(host, programPath(), pod);
  const began = Date.now() / 1000;
  const result = await makeAgain(line, realm, unit, way);
  if (result === 'done') return { status: 0, lines: [] };
  // With Restart= systemd would go on trying what the person is told does not work.
  const loaded: Unit = { manager: scope.kind === 'user' ? 'user' : 'system', unit };
  if (way.properties.some(([property]) => property === 'Restart') && loadedUnit(host, loaded) === idOf(way))
    endUnit(host, loaded);
  return { status: FAILED, lines: startedInVain(realm, unit, result, began) };
}

/** systemd has forgotten the unit: its lines since `began`, in seconds, are all that tells. */
export function startedInVain(realm: Realm, unit: string, result: JobResult, began: number): string[] {
  const name = unit.replace(/\.service$/, '');
  return [`${name}: could not be started (${result})`, ...said(realm.host, realm, unit, began)];
}

/** Somebody else may have made it a moment ago: then that start is followed. What an earlier container has left is ended first. */
async function makeAgain(line: Line, { host, scope }: Realm, unit: string, way: Way): Promise<JobResult> {
  const loaded: Unit = { manager: scope.kind === 'user' ? 'user' : 'system', unit };
  for (let round = 1; ; round++) {
    try {
      return await runJob(line, 'StartUnit', unit, undefined, marked(way));
    } catch (error) {
      if (!is(error, 'UnitExists') || round === ROUNDS) throw error;
    }
    const left = unitLeft(host, loaded, idOf(way));
    if (left === 'other') {
      const earlier = unitLeft(host, loaded);
      if (earlier === 'other' || earlier === 'runs')
        throw new Failure(125, `${unit}: systemd has another unit of this name ('systemctl cat ${unit}' shows it)`);
      if (earlier !== undefined) clearUnit(host, loaded, earlier);
    } else if (left !== undefined) {
      try {
        return await runJob(line, 'StartUnit', unit);
      } catch (error) {
        // It was forgotten meanwhile.
        if (!is(error, 'NoSuchUnit')) throw error;
      }
    }
  }
}

const ROUNDS = 4;
const is = (error: unknown, name: string): boolean => error instanceof ControlError && error.name.endsWith(`.${name}`);

function idOf({ properties }: Way): string {
  const [, , variables] = properties.find(([name]) => name === 'Environment') ?? [];
  const pair = ((variables ?? []) as string[]).find(one => one.startsWith(`${ID_VARIABLE}=`)) ?? '';
  return pair.slice(ID_VARIABLE.length + 1);
}

/** The start is told by the id's mark that the container was there before (verbs/run.ts). */
function marked({ properties }: Way): Way['properties'] {
  return properties.map(([name, signature, value]) => {
    if (name !== 'Environment') return [name, signature, value];
    const pairs = value as string[];
    return [name, signature, pairs.map(pair => (pair.startsWith(`${ID_VARIABLE}=`) ? `${pair}+` : pair))];
  });
}

function said(host: Host, { scope }: Realm, unit: string, began: number): string[] {
  const which = scope.kind === 'user' ? `--user-unit=${unit}` : `--unit=${unit}`;
  const since = `--since=@${began}`;
  const words = ['journalctl', '--quiet', '--no-pager', '--output=cat', '--lines=10', since, which];
  const argv = [...words, `--identifier=${unit.replace(/\.service$/, '')}`];
  const done = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const shown = done.stdout.replace(/[\x00-\x09\x0b-\x1f\x7f]/g, c => (c === '\t' ? ' ' : '?'));
  return shown.split('\n').flatMap(one => (one === '' ? [] : [`  ${one}`]));
}
