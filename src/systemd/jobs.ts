import { ControlError, type ManagerBus } from './bus.ts';
import { unitProperties } from './units.ts';

/** How a job ended (man 5 org.freedesktop.systemd1, JobRemoved): `done`, `failed`, `dependency`, `timeout`, `canceled`, `skipped`, … */
export type JobResult = string;

/** A method of the manager that makes a job: what is asked of the unit. */
export type JobVerb =
  'StartUnit' | 'StopUnit' | 'RestartUnit' | 'ReloadUnit' | 'ReloadOrRestartUnit' | 'TryRestartUnit';

/** What a manager that is being re-executed, or a bus that restarts, answers for a moment. */
const PASSING = new Set([
  'Disconnected',
  'org.freedesktop.DBus.Error.NoReply',
  'org.freedesktop.DBus.Error.ServiceUnknown',
  'org.freedesktop.DBus.Error.NameHasNoOwner',
  'org.freedesktop.DBus.Error.Disconnected',
]);
const ATTEMPTS = 20;
const PAUSE_MS = 250;

/** A connection, and how to get another when the bus is restarted. */
export interface Line {
  bus: ManagerBus;
  readonly again: () => Promise<ManagerBus>;
}

/**
 * Puts a job into the manager's queue and follows it to its end. The bus may go away meanwhile and the manager may be re-executed: the
 * job is asked for again (it merges with the one in the queue), and what became of it is read off the unit.
 */
export async function runJob(line: Line, verb: JobVerb, unit: string): Promise<JobResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await followOnce(line.bus, verb, unit);
    } catch (error) {
      if (!(error instanceof ControlError) || !PASSING.has(error.name) || attempt > ATTEMPTS) throw error;
      await pause();
      line.bus = await line.again().catch((failure: unknown) => {
        if (attempt >= ATTEMPTS) throw failure;
        return line.bus;
      });
      const settled = await settledResult(line.bus, verb, unit).catch(() => undefined);
      if (settled !== undefined) return settled;
    }
  }
}

/** Signals may be there before the answer that names the job. */
async function followOnce(bus: ManagerBus, verb: JobVerb, unit: string): Promise<JobResult> {
  const results = new Map<string, JobResult>();
  let wanted: string | undefined;
  let arrived: (result: JobResult) => void = () => undefined;
  const end = new Promise<JobResult>(resolve => {
    arrived = resolve;
  });
  const stop = bus.listen(signal => {
    if (signal.member !== 'JobRemoved') return;
    const [, job, , result] = signal.body as [number, string, string, string];
    results.set(job, result);
    if (job === wanted) arrived(result);
  });
  try {
    const [job] = await bus.call({ member: verb, signature: 'ss', body: [unit, 'replace'], timeout: 300_000 });
    wanted = String(job);
    return results.get(wanted) ?? (await Promise.race([end, bus.ended]));
  } finally {
    stop();
  }
}

/** After a gap: undefined while the unit still has a job or is not where the verb leads. */
async function settledResult(bus: ManagerBus, verb: JobVerb, unit: string): Promise<JobResult | undefined> {
  const state = await unitProperties(bus, unit);
  if (state.job !== 0) return undefined;
  if (verb === 'StopUnit') return state.activeState === 'inactive' ? 'done' : undefined;
  if (verb === 'StartUnit' && state.activeState === 'active') return 'done';
  return undefined;
}

function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, PAUSE_MS));
}
