import { ControlError, transientBody, type ManagerBus } from './bus.ts';
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
/** bus.ts: there was no answer in time. So often a manager may be asked that is alive, and slow. */
const SILENT = 'NoReply';
const SILENCES = 5;
const SILENCE_MS = 10_000;
const PAUSE_MS = 250;
const LOOK_MS = 1000;

/** A connection, and how to get another when the bus is restarted. */
export interface Line {
  bus: ManagerBus;
  readonly again: () => Promise<ManagerBus>;
}

/**
 * Puts a job into the manager's queue and follows it to its end. The bus may go away meanwhile and the manager may be re-executed: a job
 * that was accepted is looked for, never asked for again, since somebody else may have put another in its place by then. `job` is the path of
 * one that was accepted on another connection.
 */
export async function runJob(
  line: Line,
  verb: JobVerb,
  unit: string,
  job?: string,
  properties?: Transient,
): Promise<JobResult> {
  const asked: Asked = { verb, unit, job, properties };
  return steadily(line, bus => followOnce(bus, asked));
}

/** Does it over another connection when the one that it was begun on ends, or is silent. */
export async function steadily<T>(line: Line, step: (bus: ManagerBus) => Promise<T>): Promise<T> {
  let silences = 0;
  for (let attempt = 1; ; attempt++) {
    const used = line.bus;
    try {
      return await step(impatient(used));
    } catch (error) {
      if (!(error instanceof ControlError) || attempt > ATTEMPTS) throw error;
      // A call that was lost between two managers is never answered.
      const lost = error.name === SILENT && ++silences < SILENCES;
      if (!PASSING.has(error.name) && !lost) throw error;
      await pause();
      // Another job on this line may have seen it first.
      if (line.bus === used) await renew(line, attempt === ATTEMPTS);
    }
  }
}

/** Whoever asks again need not wait long. */
function impatient(bus: ManagerBus): ManagerBus {
  return {
    ended: bus.ended,
    call: request => bus.call({ timeout: SILENCE_MS, ...request }),
    listen: listener => bus.listen(listener),
    close: () => bus.close(),
  };
}

/** A connection that is left open would keep the program from its end. */
async function renew(line: Line, last: boolean): Promise<void> {
  const before = line.bus;
  try {
    line.bus = await line.again();
    before.close();
  } catch (failure) {
    if (last) throw failure;
  }
}

/** A first connection. Where no bus is, nobody waits for one; where the bus misses its manager, that is being re-executed. */
export async function connectSteadily(connect: () => Promise<ManagerBus>): Promise<ManagerBus> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connect();
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      const ofBus = error.name.startsWith('org.freedesktop.DBus.Error.') && PASSING.has(error.name);
      const lost = error.name === SILENT && attempt < SILENCES;
      if ((!ofBus && !lost) || attempt > ATTEMPTS) throw error;
      await pause();
    }
  }
}

/** Of a unit that is made for this start. */
export type Transient = readonly (readonly [name: string, signature: string, value: unknown])[];

interface Asked {
  readonly verb: JobVerb;
  readonly unit: string;
  /** Path of the job, once the manager has taken it. */
  job: string | undefined;
  readonly properties: Transient | undefined;
}

/** Signals may be there before the answer that names the job. */
async function followOnce(bus: ManagerBus, asked: Asked): Promise<JobResult> {
  const results = new Map<string, JobResult>();
  let arrived: (result: JobResult) => void = () => undefined;
  const end = new Promise<JobResult>(resolve => {
    arrived = resolve;
  });
  const stop = bus.listen(signal => {
    if (signal.member !== 'JobRemoved') return;
    const [, job, , result] = signal.body as [number, string, string, string];
    results.set(job, result);
    if (job === asked.job) arrived(result);
  });
  try {
    if (asked.job === undefined) {
      await ask(bus, asked);
      return results.get(asked.job ?? '') ?? (await Promise.race([end, bus.ended]));
    }
    // A manager that has just been re-executed may end a job before it knows to whom it owes a signal.
    for (;;) {
      const settled = (await whatBecame(bus, asked)) ?? results.get(asked.job);
      const told = settled ?? (await within(LOOK_MS, Promise.race([end, bus.ended])));
      if (told !== undefined) return told;
    }
  } finally {
    stop();
  }
}

async function ask(bus: ManagerBus, asked: Asked): Promise<void> {
  const { verb, unit, properties } = asked;
  const request =
    properties === undefined
      ? { member: verb, signature: 'ss', body: [unit, 'replace'] }
      : { member: 'StartTransientUnit', signature: 'ssa(sv)a(sa(sv))', body: transientBody(unit, properties) };
  const [job] = await bus.call({ ...request, mayAsk: true });
  asked.job = String(job);
}

/** After a gap: undefined while the job is still in the queue. What was not heard is read off the unit. */
async function whatBecame(bus: ManagerBus, { verb, unit, job }: Asked): Promise<JobResult | undefined> {
  const { job: waiting, activeState, type, result } = await unitProperties(bus, unit);
  if (waiting !== 0 && job?.endsWith(`/${waiting}`) === true) return undefined;
  const ran = type === 'oneshot' && activeState === 'inactive' && result === 'success';
  // For a stop that is as well: the unit may have been killed in it.
  const stopped = activeState === 'inactive' || activeState === 'failed';
  const reached = verb === 'StopUnit' ? stopped : ran || activeState === 'active';
  if (reached && waiting === 0) return 'done';
  return activeState === 'failed' ? 'failed' : 'canceled';
}

/** Undefined when it takes longer. A timer that was left would keep the program for its time. */
async function within<T>(milliseconds: number, wait: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>(resolve => (timer = setTimeout(resolve, milliseconds, undefined)));
  try {
    return await Promise.race([wait, over]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, PAUSE_MS));
}
