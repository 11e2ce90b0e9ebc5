import type { ManagerBus } from '../systemd/bus.ts';
import { hasFailed, reasonOf } from '../systemd/explain.ts';
import { lastLines, managerLines, ranOutOfMemory } from '../systemd/journal-lines.ts';
import { whoFailed } from '../systemd/unit-commands.ts';
import { unitProperties, type UnitState } from '../systemd/units.ts';
import type { Realm } from './scope.ts';

/** Why a job of a unit did not do what was asked: the reason in one line, then what the unit said last, each line indented. */
export async function failureLines(
  bus: ManagerBus,
  realm: Realm,
  unit: string,
  job: string,
  asked = 0,
): Promise<string[]> {
  const state = withMemory(realm, await unitProperties(bus, unit));
  const lines = [`${state.name}: ${reasonOf(state, job, asked)}`];
  if (state.loadState === 'not-found') return lines;
  for (const one of job === 'dependency' ? await failedRequirements(bus, state, new Set([state.name])) : []) {
    lines.push(`${one.name}: ${reasonOf(withMemory(realm, one), 'failed')}`, ...said(realm, one));
  }
  return job === 'dependency' ? lines : [...lines, ...said(realm, state)];
}

/** What ended by SIGKILL, or as a shell does whose program that was, may have had too little memory: then that is the result. */
export function withMemory({ host, scope }: Realm, state: UnitState): UnitState {
  const killed =
    (state.result === 'signal' && state.mainStatus === SIGKILL) ||
    (state.result === 'exit-code' && state.mainStatus === 128 + SIGKILL);
  return killed && ranOutOfMemory(host, scope, state) ? { ...state, result: 'oom-kill' } : state;
}

const SIGKILL = 9;

/** Units that are required and failed, the deepest cause too. */
async function failedRequirements(bus: ManagerBus, state: UnitState, seen: Set<string>): Promise<UnitState[]> {
  const failed: UnitState[] = [];
  for (const name of state.requires) {
    if (seen.has(name)) continue;
    seen.add(name);
    const one = await unitProperties(bus, name);
    const broken = hasFailed(one) || one.loadState === 'not-found' || one.loadState === 'masked';
    if (broken) failed.push(one);
    else if (one.activeState === 'inactive') failed.push(...(await failedRequirements(bus, one, seen)));
  }
  return failed;
}

const LINES = 10;

function said({ host, scope }: Realm, state: UnitState): string[] {
  const lines = lastLines(host, scope, state, LINES);
  return [...(isSystemds(state) ? managerLines(host, scope, state) : []), ...lines].map(line => `  ${line}`);
}

/** The first of systemd's own exit statuses (systemd.exec(5)). */
const SYSTEMDS = 200;

/** No program of the unit ran that could have said why, or systemd has forgotten which one it was. */
function isSystemds(state: UnitState): boolean {
  if (state.result === 'resources') return true;
  if (state.result !== 'exit-code') return false;
  const who = whoFailed(state);
  return who === undefined || (who === 'main' ? state.mainStatus : who.status) >= SYSTEMDS;
}
