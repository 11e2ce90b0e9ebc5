import { runJob, type Line } from '../systemd/jobs.ts';
import { reloadManager } from '../systemd/unit-files.ts';
import { unitProperties } from '../systemd/units.ts';
import { openBoard, type Board } from './board.ts';
import { complain } from './control.ts';
import type { Realm } from './scope.ts';
import { failureLines } from './unit-failure.ts';
import { changeFiles } from './up-files.ts';
import type { Plan, Step } from './up-plan.ts';
import { readRecord, recordPath, writeRecord, type Started } from './up-record.ts';
import { directoryOf } from './up-source.ts';

/** Carries plans out: what goes is stopped, files are changed, the manager reads them, what comes is started. */
export async function bringUp(realm: Realm, line: Line, plans: readonly Plan[], start: boolean): Promise<number> {
  const steps = plans.flatMap(plan => plan.steps);
  const removed = steps.filter(step => step.action === 'remove');
  const stopped = await stopUnits(
    realm,
    line,
    removed.map(step => step.unit),
  );
  if (stopped !== 0) return stopped;
  changeFiles(realm.host, directoryOf(realm), plans);
  if (steps.some(step => step.action !== 'nothing') || plans.some(plan => plan.changes.size > 0))
    await reloadManager(line.bus);
  if (!start) return installed(realm, steps);
  const ordered = await inOrder(
    line,
    steps.filter(step => step.action !== 'remove'),
  );
  const failed = await startUnits(realm, line, ordered);
  await note(realm, line, plans, failed);
  return failed.size === 0 ? 0 : 1;
}

function installed({ host }: Realm, steps: readonly Step[]): number {
  const shown = steps.filter(step => step.action !== 'remove');
  host.write(
    1,
    shown.map(({ unit, action }) => `${unit}: ${action === 'nothing' ? 'unchanged' : 'installed'}\n`).join(''),
  );
  return 0;
}

/** All at once: the manager has them in the order that After= and Before= want. Status 1 when one cannot be stopped. */
export async function stopUnits(realm: Realm, line: Line, units: readonly string[]): Promise<number> {
  const statuses = await Promise.all(
    units.map(async unit => {
      const { activeState } = await unitProperties(line.bus, unit);
      if (activeState !== 'inactive' && activeState !== 'failed') {
        const result = await runJob(line, 'StopUnit', unit);
        if (result !== 'done' && result !== 'skipped') {
          complain(realm.host, await failureLines(line.bus, realm, unit, result));
          return 1;
        }
      }
      realm.host.write(1, `${unit}: removed\n`);
      return 0;
    }),
  );
  return Math.max(0, ...statuses);
}

/** A job that is asked for before the one that it waits for would not wait: the manager orders only what is in its queue. */
async function inOrder({ bus }: Line, steps: readonly Step[]): Promise<Step[]> {
  const names = steps.filter(step => step.starts).map(step => step.unit);
  const states = await Promise.all(names.map(unit => unitProperties(bus, unit)));
  const after = new Map(names.map((unit, i) => [unit, states[i]?.after ?? []]));
  const byName = new Map(steps.map(step => [step.unit, step]));
  const ordered: Step[] = [];
  const seen = new Set<string>();
  const visit = (step: Step): void => {
    if (seen.has(step.unit)) return;
    seen.add(step.unit);
    for (const name of after.get(step.unit) ?? []) {
      const before = byName.get(name);
      if (before !== undefined) visit(before);
    }
    ordered.push(step);
  };
  steps.forEach(visit);
  return ordered;
}

/** The units that did not come up. Each one's end is told as it comes, the reasons of failures at the end. */
async function startUnits(realm: Realm, line: Line, steps: readonly Step[]): Promise<Set<string>> {
  const failed = new Map<string, string>();
  const board = openBoard(
    realm.host,
    line.bus,
    steps.map(step => step.unit),
  );
  try {
    await Promise.all(steps.map(step => startUnit(line, step, board, failed)));
  } finally {
    board.close();
  }
  for (const [unit, result] of failed) complain(realm.host, await failureLines(line.bus, realm, unit, result));
  return new Set(failed.keys());
}

async function startUnit(line: Line, step: Step, board: Board, failed: Map<string, string>): Promise<void> {
  const { unit, action, starts } = step;
  if (!starts) return board.finish(unit, action === 'nothing' ? 'unchanged' : 'installed');
  if (action === 'nothing') return board.finish(unit, 'unchanged');
  const result = await runJob(line, action === 'restart' ? 'RestartUnit' : 'StartUnit', unit);
  const good = result === 'done' || result === 'skipped';
  if (!good) failed.set(unit, result);
  const done = action === 'restart' ? 'restarted' : 'started';
  board.finish(
    unit,
    good
      ? result === 'skipped'
        ? 'skipped: a condition of it (Condition...=) does not hold'
        : done
      : `failed: ${result}`,
  );
}

/** What was started from what, for the next time. */
async function note(realm: Realm, { bus }: Line, plans: readonly Plan[], failed: ReadonlySet<string>): Promise<void> {
  for (const { application, steps } of plans) {
    const path = recordPath(directoryOf(realm), application.name);
    const record = readRecord(realm.host, path);
    if (record === undefined) continue;
    const started: Record<string, Started> = {};
    for (const { unit, action, hash, starts } of steps) {
      if (action === 'remove' || !starts) continue;
      const { invocation } = await unitProperties(bus, unit);
      const before = record.started[unit];
      if (!failed.has(unit)) started[unit] = { hash, invocation };
      // One that could not be restarted may run on as it was.
      else if (before?.invocation === invocation) started[unit] = before;
    }
    if (JSON.stringify(started) !== JSON.stringify(record.started))
      writeRecord(realm.host, path, { ...record, started });
  }
}
