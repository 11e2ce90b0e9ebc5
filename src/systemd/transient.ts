import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import type { ManagerLink } from '../run/parts.ts';
import { answerTo, call, connectManager, post, waitForSignal, type Bus, type Call } from './wire.ts';

/** A unit property as org.freedesktop.systemd1(5) has it: name, signature, value. */
export type Property = readonly [name: string, signature: string, value: unknown];

/** Throws BusError when the manager cannot be reached; so do the calls of the link when it refuses. */
export function linkTo(host: Host, manager: 'system' | 'user'): ManagerLink {
  const bus = connectManager(host, manager);
  return {
    beginScope(scope, wish) {
      const serial = postStart(bus, scope, [
        ['Description', 's', wish.description],
        ['PIDs', 'au', wish.pids],
        ['Delegate', 'b', true],
        ['CollectMode', 's', 'inactive-or-failed'],
        ...(wish.slice === undefined ? [] : [['Slice', 's', wish.slice] as const]),
      ]);
      return () => {
        const [job] = answerTo(bus, serial);
        const result = resultOf(bus, job);
        if (result !== 'done') throw new Failure(125, `${scope}: the scope could not be started (${result})`);
      };
    },
    attach(unit, subgroup, pid) {
      call(bus, { ...managerCall('AttachProcessesToUnit'), signature: 'ssau', values: [unit, subgroup, [pid]] });
    },
    close: () => host.close(bus.fd),
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
  const bus = connectManager(host, manager);
  try {
    const [job] = answerTo(bus, postStart(bus, unit, properties));
    return resultOf(bus, job);
  } finally {
    host.close(bus.fd);
  }
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

function managerCall(member: string): Call {
  return { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.systemd1.Manager', member };
}
