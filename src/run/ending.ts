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
  if (pidfd === undefined) return;
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

type Unit = Pick<ContainerState, 'manager' | 'unit'>;

/** The id of the container that a transient unit is of; empty for another unit; undefined when there is none of this name. */
export function loadedUnit(host: Host, { manager, unit }: Unit): string | undefined {
  const properties = '--property=LoadState,Transient,Environment';
  const argv = ['systemctl', ...(manager === 'user' ? ['--user'] : []), '--no-pager', 'show', properties, unit];
  const { stdout } = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  if (!/^LoadState=(?!not-found)/m.test(stdout)) return undefined;
  const [, id = ''] = new RegExp(`^Environment=.*\\b${ID_VARIABLE}=([0-9a-f]{64})`, 'm').exec(stdout) ?? [];
  return /^Transient=yes$/m.test(stdout) ? id : '';
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
