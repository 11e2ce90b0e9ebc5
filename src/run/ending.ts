import type { Host } from '../host/host.ts';
import type { Context } from './context.ts';
import { Failure } from './failure.ts';
import { ID_VARIABLE, type ContainerState } from './state.ts';
import { openPayload } from './containers.ts';
import { patienceOf } from './patience.ts';
import { stopPayload } from './stop.ts';

/**
 * Stops a container the way that fits who asks. Inside the container's own unit (systemd runs ExecStop= in `.control`) we act directly:
 * to ask systemd there would wait for ourselves. Anybody else asks the manager of the unit, or Restart= would bring the container back.
 * A scope (a foreground `berth run`) has no way to stop of its own. `timeout` in seconds; undefined: the container's own. Returns when the payload is gone.
 */
export function stopContainer(host: Host, context: Context, state: ContainerState, timeout?: number): void {
  if (state.unit === '' || state.unit.endsWith('.scope') || isOwnUnit(context, state) || !context.systemd) {
    stopPayload(host, state, state.stopSignal, timeout ?? state.stopTimeout);
    return;
  }
  const pidfd = openPayload(host, state);
  // It ended since somebody looked.
  if (pidfd === undefined) return endWaiting(host, context, state);
  try {
    stopUnit(host, state, pidfd, timeout);
  } finally {
    host.close(pidfd);
  }
}

/**
 * The payload does not run, but its unit may be about to start it again (--restart): a stop ends that, too. By now the name may be that of
 * another unit, which is none of ours.
 */
export function endWaiting(host: Host, context: Context, state: ContainerState): void {
  if (state.restarts !== true || context.inUnit || !context.systemd) return;
  if (loadedUnit(host, state) === state.id) endUnit(host, state);
}

export type Unit = Pick<ContainerState, 'manager' | 'unit'>;

/** The id of the container that a transient unit is of; empty for another unit; undefined when there is none of this name. */
export function loadedUnit(host: Host, unit: Unit): string | undefined {
  const shown = showUnit(host, unit);
  return shown && idIn(shown);
}

/** The unit that is loaded by a name: of another program; ours and running, or about to; ours and stopping, or waiting for its next try; ours and ended. */
export type UnitLeft = 'other' | 'runs' | 'ends' | 'ended';

/** Undefined when there is none. With an id the unit of that container alone is ours. */
export function unitLeft(host: Host, unit: Unit, id?: string): UnitLeft | undefined {
  const shown = showUnit(host, unit);
  return shown && leftOf(shown, unit, id);
}

function leftOf(shown: Shown, { unit }: Unit, id?: string): UnitLeft {
  const own = shown.get('Transient') === 'yes' && shown.get('Environment')?.includes(`PODMAN_SYSTEMD_UNIT=${unit}`);
  if (own !== true || (id !== undefined && idIn(shown) !== id)) return 'other';
  const active = shown.get('ActiveState');
  if (active === 'deactivating' || shown.get('SubState')?.startsWith('auto-restart') === true) return 'ends';
  return (active === 'inactive' || active === 'failed') && (shown.get('Job') ?? '') === '' ? 'ended' : 'runs';
}

/**
 * Until systemd has forgotten a transient unit, no other can be made by its name. It does so with the end, unless a unit that is loaded
 * names it (After=): then it reads its units again, without the file of this one.
 */
export function clearUnit(host: Host, unit: Unit, left: UnitLeft): void {
  if (left !== 'ended') endUnit(host, unit);
  const shown = showUnit(host, unit);
  if (shown === undefined || leftOf(shown, unit) !== 'ended') return;
  host.unlink(shown.get('FragmentPath') ?? '');
  const environment = host.environmentList();
  // One that failed would keep that of the next.
  for (const words of [['reset-failed', unit.unit], ['daemon-reload']])
    host.run({ argv: [...systemctl(unit), ...words], environment, stderr: 'capture' });
}

type Shown = ReadonlyMap<string, string>;
const systemctl = ({ manager }: Unit): string[] => ['systemctl', ...(manager === 'user' ? ['--user'] : [])];
const SHOWN = '--property=LoadState,Transient,Environment,ActiveState,SubState,Job,FragmentPath';

function showUnit(host: Host, unit: Unit): Shown | undefined {
  const argv = [...systemctl(unit), '--no-pager', 'show', SHOWN, unit.unit];
  const { stdout } = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  const lines = stdout.split('\n').map(line => [line, line.indexOf('=')] as const);
  const shown = new Map(lines.map(([line, at]) => [line.slice(0, at), line.slice(at + 1)]));
  return ['not-found', undefined].includes(shown.get('LoadState')) ? undefined : shown;
}

function idIn(shown: Shown): string {
  const [, id = ''] = new RegExp(`\\b${ID_VARIABLE}=([0-9a-f]{64})`).exec(shown.get('Environment') ?? '') ?? [];
  return shown.get('Transient') === 'yes' ? id : '';
}

/** Stops a unit that has no payload; it may have gone meanwhile. */
export function endUnit(host: Host, unit: Unit): void {
  const environment = host.environmentList();
  const ended = host.run({ argv: unitStop(host, unit), environment, stdout: 'capture', stderr: 'capture' });
  if (ended.status === 0 || ended.status === NOT_LOADED) return;
  throw new Failure(
    125,
    `${unit.unit} goes on starting its container, and could not be stopped${because(ended.stderr)}`,
  );
}

/** It runs the unit's ExecStop=, and goes on over a manager that is re-executed. */
function unitStop(host: Host, { manager, unit }: Unit): string[] {
  const self = host.readlink('/proc/self/exe');
  const program = /\/berth[^/]*$/.test(self) ? self : '/usr/bin/berth'; // Node's half is Node
  return [program, 'unit', 'stop', '--quiet', `--${manager}`, '--', unit];
}

export function isOwnUnit(context: Context, state: ContainerState): boolean {
  return context.own.unit === state.unit && context.own.manager === state.manager;
}

/** As systemctl(1) has it: there is no such unit. */
const NOT_LOADED = 5;

/** ExecStop= knows the unit's timeout; another timeout is kept here, beside it. */
function stopUnit(host: Host, state: ContainerState, pidfd: number, timeout: number | undefined): void {
  // Its reason is told in our line.
  const [reason, stderr] = host.pipe();
  const child = host.spawn({ argv: unitStop(host, state), environment: host.environmentList(), stderr });
  host.close(stderr);
  if (timeout !== undefined && host.poll([pidfd, child.pidfd], patienceOf(timeout)).length === 0) {
    stopPayload(host, state, 9, 0);
  }
  const end = host.wait(child);
  host.close(child.pidfd);
  const said = host.poll([reason], 0).length === 0 ? '' : host.receive(reason, 4096, -1).data;
  host.close(reason);
  if (end.status === 0 || host.poll([pidfd], 0).length > 0) return;
  // The unit is gone and its payload is not (its file was removed while it ran): nobody but us can end it.
  if (end.status === NOT_LOADED) stopPayload(host, state, state.stopSignal, timeout ?? state.stopTimeout);
  else
    throw new Failure(
      125,
      `${state.name}: the container is ${state.unit}'s, which could not be stopped; stop it first${because(said)}`,
    );
}

/** The first line of what it said. */
function because(said: string): string {
  const [line = ''] = said.split('\n');
  return line === '' ? '' : ` (${line.replace(/^berth: /, '')})`;
}
