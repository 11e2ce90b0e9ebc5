import type { Host } from '../host/host.ts';
import { clearUnit, unitLeft } from '../run/ending.ts';
import { Failure } from '../run/failure.ts';
import type { ManagerLink } from '../run/parts.ts';
import type { Message } from './message.ts';
import { unitPath } from './unit-path.ts';
import {
  answerTo,
  BusError,
  call,
  connectManager,
  post,
  steadily,
  waitForSignal,
  type Bus,
  type Call,
} from './wire.ts';

/** A unit property as org.freedesktop.systemd1(5) has it: name, signature, value. */
export type Property = readonly [name: string, signature: string, value: unknown];

/** Throws BusError when the manager cannot be reached; so do the calls of the link when it refuses. */
export function linkTo(host: Host, manager: 'system' | 'user'): ManagerLink {
  let bus = connectManager(host, manager);
  return {
    beginScope(scope, wish) {
      const serial = postStart(bus, scope, [
        ['Description', 's', wish.description],
        ['PIDs', 'au', wish.pids],
        wish.weight === undefined ? ['Delegate', 'b', true] : ['CPUWeight', 't', wish.weight],
        ['CollectMode', 's', 'inactive-or-failed'],
        ...requirement(wish.requires ?? []),
        ...(wish.slice === undefined ? [] : [['Slice', 's', wish.slice] as const]),
      ]);
      return () => {
        const [job] = answerTo(bus, serial);
        const result = resultOf(bus, job);
        if (result !== 'done') throw new Failure(125, `${scope}: the scope could not be started (${result})`);
      };
    },
    attach(unit, subgroup, pid) {
      const values = [unit, subgroup, [pid]];
      steadily(host, again => {
        if (again) bus = connectManager(host, manager);
        call(bus, { ...managerCall('AttachProcessesToUnit'), signature: 'ssau', values });
      });
    },
    close: () => host.close(bus.fd),
  };
}

/** `Requires=` and `After=` units; nothing for none. */
export function requirement(units: readonly string[]): Property[] {
  return units.length === 0
    ? []
    : [
        ['Requires', 'as', units],
        ['After', 'as', units],
      ];
}

export interface ServiceStart {
  /** The job's: done, failed, canceled, timeout, dependency, skipped. */
  readonly result: string;
  /** Exit status of the main process when the start failed and it was one that exited; otherwise undefined. */
  readonly status?: number;
}

/** What becomes of a container or pod of this name that runs, or is being started. */
export type Rival = 'stays' | 'ends' | 'counts';

/**
 * Starts a transient unit and follows its job to the end, over a manager that is re-executed and a bus that restarts meanwhile, too. An
 * earlier unit of the name whose container is gone is waited for. Throws BusError when the manager refuses or cannot be reached.
 */
export function startTransientService(
  host: Host,
  manager: 'system' | 'user',
  unit: string,
  properties: readonly Property[],
  rival: Rival = 'stays',
): ServiceStart {
  for (let round = 1; ; round++) {
    try {
      return startSteadily(host, manager, unit, properties);
    } catch (error) {
      if (!isTaken(error) || round === ROUNDS) throw error;
      const left = unitLeft(host, { manager, unit });
      if (left === 'other')
        throw new Failure(
          125,
          `${unit}: systemd has another unit of this name; give another name ('systemctl cat ${unit}' shows it)`,
        );
      if (left === 'runs' && rival === 'counts') return followed(host, manager, unit);
      if (left === 'runs' && rival === 'stays')
        throw new Failure(
          125,
          `the name ${unit.slice(0, -'.service'.length)} is in use: ${unit} runs, or is being started`,
        );
      if (left !== undefined) clearUnit(host, { manager, unit }, left);
    }
  }
}

const ROUNDS = 4;

function startSteadily(
  host: Host,
  manager: 'system' | 'user',
  unit: string,
  properties: readonly Property[],
): ServiceStart {
  let job: string | undefined;
  return steadily(host, again => {
    if (job !== undefined) return followed(host, manager, `${unit}=${job}=`);
    try {
      return startOnce(host, manager, unit, properties, taken => (job = String(taken)));
    } catch (error) {
      // It was taken before the connection ended.
      if (again && isTaken(error)) return followed(host, manager, unit);
      throw error;
    }
  });
}

const isTaken = (error: unknown): boolean => error instanceof BusError && error.name.endsWith('.UnitExists');

/** Whether systemd has a unit of this name in memory, or does not answer. */
export function mayBeLoaded(host: Host, manager: 'system' | 'user', unit: string): boolean {
  let bus: Bus | undefined;
  try {
    bus = connectManager(host, manager);
    call(bus, { ...managerCall('GetUnit'), signature: 's', values: [unit] });
    return true;
  } catch (error) {
    if (error instanceof BusError) return !error.name.endsWith('.NoSuchUnit');
    throw error;
  } finally {
    if (bus !== undefined) host.close(bus.fd);
  }
}

/** Node's half finds out what has become of a job whose end nobody told us (verbs/control.ts). */
function followed(host: Host, manager: string, word: string): ServiceStart {
  const argv = [host.readlink('/proc/self/exe'), 'unit-job', `--${manager}`, '--', 'StartUnit', '0', word];
  const { status } = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  return { result: status === 0 ? 'done' : 'failed' };
}

function startOnce(
  host: Host,
  manager: 'system' | 'user',
  unit: string,
  properties: readonly Property[],
  taken: (job: unknown) => void,
): ServiceStart {
  const bus = connectManager(host, manager);
  try {
    const [job] = answerTo(bus, postStart(bus, unit, properties));
    taken(job);
    const path = unitPath(unit);
    let status: number | undefined;
    const look = (message: Message): void => {
      if (message.member === 'PropertiesChanged' && message.path === path) status = exitOf(message) ?? status;
    };
    const removed = waitForSignal(bus, message => (look(message), isEndOf(message, job)));
    const result = String(removed.values[3]);
    if (result === 'failed' && status === undefined) {
      // systemd may tell of the properties after the job, but before it answers the next call.
      call(bus, { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
      bus.signals.forEach(look);
    }
    return status === undefined ? { result } : { result, status };
  } finally {
    host.close(bus.fd);
  }
}

const CLD_EXITED = 1;

/** PropertiesChanged of a service: s interface, a{sv} changed, as invalidated. Read as it goes by: systemd forgets a transient unit that failed. */
function exitOf(message: Message): number | undefined {
  const [kind, changed] = message.values;
  if (kind !== 'org.freedesktop.systemd1.Service' || !Array.isArray(changed)) return undefined;
  const number = (name: string): number => {
    const found = (changed as [string, [string, unknown]][]).find(([key]) => key === name);
    return Number(found?.[1][1] ?? -1);
  };
  return number('ExecMainCode') === CLD_EXITED ? number('ExecMainStatus') : undefined;
}

/** Asks for the start; the answer is the job. It may be that what the unit needs is being stopped, since nobody needed it: then the start counts. */
function postStart(bus: Bus, unit: string, properties: readonly Property[]): number {
  return post(bus, {
    ...managerCall('StartTransientUnit'),
    signature: 'ssa(sv)a(sa(sv))',
    values: [unit, 'replace', properties.map(([name, signature, value]) => [name, [signature, value]]), []],
  });
}

/** JobRemoved: u id, o job, s unit, s result. */
function resultOf(bus: Bus, job: unknown): string {
  const removed = waitForSignal(bus, message => isEndOf(message, job));
  return String(removed.values[3]);
}

function isEndOf(message: Message, job: unknown): boolean {
  return message.member === 'JobRemoved' && message.values[1] === job;
}

export function managerCall(member: string): Call {
  return { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.systemd1.Manager', member };
}
