import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { answerTo, call, connectManager, post, waitForSignal, type Bus, type Call } from './wire.ts';

/** A unit property as org.freedesktop.systemd1(5) has it: name, signature, value. */
export type Property = readonly [name: string, signature: string, value: unknown];

/** Makes a delegated scope with a process in it; returns when the process is there. */
export function startScope(host: Host, manager: 'system' | 'user', scope: string, request: ScopeWish): void {
  beginScope(host, manager, scope, request)();
}

export interface ScopeWish {
  readonly description: string;
  readonly pid: number;
  readonly slice?: string;
}

/** Asks for a delegated scope with a process in it; systemd works while the caller does. The result waits until the process is there. */
export function beginScope(host: Host, manager: 'system' | 'user', scope: string, request: ScopeWish): () => void {
  const bus = connectManager(host, manager);
  let serial: number;
  try {
    serial = postStart(bus, scope, [
      ['Description', 's', request.description],
      ['PIDs', 'au', [request.pid]],
      ['Delegate', 'b', true],
      ['CollectMode', 's', 'inactive-or-failed'],
      ...(request.slice === undefined ? [] : [['Slice', 's', request.slice] as const]),
    ]);
  } catch (error) {
    host.close(bus.fd);
    throw error;
  }
  return () => {
    try {
      const [job] = answerTo(bus, serial);
      const result = resultOf(bus, job);
      if (result !== 'done') throw new Failure(125, `${scope}: the scope could not be started (${result})`);
    } finally {
      host.close(bus.fd);
    }
  };
}

/**
 * Starts a transient unit and follows its job to the end; the job's result: done, failed, canceled, timeout, dependency, skipped.
 * Throws BusError when the manager refuses or cannot be reached.
 */
export function startTransientService(
  host: Host,
  manager: 'system' | 'user',
  unit: string,
  properties: readonly Property[],
): string {
  return withManager(host, manager, bus => {
    const [job] = answerTo(bus, postStart(bus, unit, properties));
    return resultOf(bus, job);
  });
}

/** Asks for the start; the answer is the job. */
function postStart(bus: Bus, unit: string, properties: readonly Property[]): number {
  return post(bus, {
    ...managerCall('StartTransientUnit'),
    signature: 'ssa(sv)a(sa(sv))',
    values: [unit, 'fail', properties.map(([name, signature, value]) => [name, [signature, value]]), []],
  });
}

/** JobRemoved: u id, o job, s unit, s result. */
function resultOf(bus: Bus, job: unknown): string {
  const removed = waitForSignal(bus, message => message.member === 'JobRemoved' && message.values[1] === job);
  return String(removed.values[3]);
}

/** Moves a process into a group below a unit's own (`subgroup` starts with `/`); the manager does it, as it may write where we may not. */
export function attachProcess(
  host: Host,
  manager: 'system' | 'user',
  unit: string,
  subgroup: string,
  pid: number,
): void {
  withManager(host, manager, bus =>
    call(bus, { ...managerCall('AttachProcessesToUnit'), signature: 'ssau', values: [unit, subgroup, [pid]] }),
  );
}

function managerCall(member: string): Call {
  return { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.systemd1.Manager', member };
}

function withManager<T>(host: Host, manager: 'system' | 'user', act: (bus: Bus) => T): T {
  const bus = connectManager(host, manager);
  try {
    return act(bus);
  } finally {
    host.close(bus.fd);
  }
}
