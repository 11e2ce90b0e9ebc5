import type { Host } from '../host/host.ts';
import { connectBus, ControlError, type ManagerBus, type Scope, type Signal } from '../systemd/bus.ts';
import { connectSteadily, steadily, type Line } from '../systemd/jobs.ts';
import { unitPath } from '../systemd/unit-path.ts';
import { unitProperties, type UnitState } from '../systemd/units.ts';

/** A unit, and whose manager has it. */
export interface UnitPlace {
  readonly unit: string;
  readonly manager: 'system' | 'user';
}

/**
 * Until all of these have ended and nothing is about to start them: a unit that is restarted, or waits for it, has not. A manager of an
 * account that is gone has taken its units along; where the system's cannot be asked this never ends. `stop` gives it up.
 */
export async function unitsOver(host: Host, places: readonly UnitPlace[], stop: AbortSignal): Promise<void> {
  const system = places.filter(({ manager }) => manager === 'system');
  const user = places.filter(({ manager }) => manager === 'user');
  await Promise.all([overIn({ kind: 'system' }, system, stop), overIn({ kind: 'user', uid: host.euid }, user, stop)]);
}

async function overIn(scope: Scope, places: readonly UnitPlace[], stop: AbortSignal): Promise<void> {
  if (places.length === 0) return;
  const connect = (): Promise<ManagerBus> => connectBus(scope, false);
  try {
    const line: Line = { bus: await connectSteadily(connect), again: connect };
    const close = (): void => line.bus.close();
    stop.addEventListener('abort', close);
    await Promise.all(places.map(({ unit }) => over(line, unit, stop))).finally(close);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    if (scope.kind === 'system') await new Promise<never>(() => undefined);
  }
}

/** Looks anew at each word of an end, and when the connection was another: what was said between the two was not heard. */
export async function over(line: Line, unit: string, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const end = nextEnd(line.bus, unit);
    try {
      if (isOver(await steadily(line, bus => unitProperties(bus, unit)))) return;
      await end.heard;
    } finally {
      end.stop();
    }
  }
}

function isOver({ activeState, subState, job }: Pick<UnitState, 'activeState' | 'subState' | 'job'>): boolean {
  return job === 0 && hasEnded(activeState, subState);
}

/** `exited`: of RemainAfterExit=. */
function hasEnded(activeState: unknown, subState: unknown): boolean {
  return activeState === 'inactive' || activeState === 'failed' || subState === 'exited';
}

function nextEnd(bus: ManagerBus, unit: string): { readonly heard: Promise<void>; readonly stop: () => void } {
  let stop = (): void => undefined;
  const told = new Promise<void>(resolve => {
    stop = bus.listen(signal => {
      if (isEnd(signal, unit)) resolve();
    });
  });
  return { heard: Promise.race([told, bus.ended.catch(() => undefined)]), stop };
}

/** man 5 org.freedesktop.systemd1: of the unit its new state; of the manager that a job of it, or the unit itself, is gone. */
function isEnd({ member, path, body }: Signal, unit: string): boolean {
  if (member === 'JobRemoved') return body[2] === unit;
  if (member === 'UnitRemoved') return body[0] === unit;
  if (member !== 'PropertiesChanged' || path !== unitPath(unit)) return false;
  const { ActiveState: active, SubState: sub } = (body[1] ?? {}) as Record<string, unknown>;
  return hasEnded(active, sub);
}
