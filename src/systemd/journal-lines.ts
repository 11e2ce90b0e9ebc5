import { EVENTS } from '../base/events.ts';
import type { Host } from '../host/host.ts';
import type { Scope } from './bus.ts';
import type { UnitState } from './units.ts';

/**
 * The last lines of a unit's present or last invocation, without systemd's own and without our news of what went well, oldest first;
 * empty where we may not read them.
 * Control characters are shown as text (T28).
 */
export function lastLines(host: Host, scope: Scope, state: UnitState, count: number): string[] {
  if (state.invocation === '') return [];
  const account = scope.kind === 'user' ? [`_UID=${scope.uid}`] : [];
  const unit = [`_SYSTEMD_INVOCATION_ID=${state.invocation}`, ...account];
  const unwell = `MESSAGE_ID=${EVENTS.health_status.id}`;
  const match = [...unit, '_TRANSPORT=stdout', '_TRANSPORT=syslog', '+', ...unit, unwell];
  const argv = ['journalctl', '--quiet', '--no-pager', '--output=cat', `--lines=${count}`, ...match];
  const done = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const shown = done.stdout.replace(/[\x00-\x09\x0b-\x1f\x7f]/g, c => (c === '\t' ? ' ' : '?'));
  return shown.split('\n').filter(line => line !== '');
}
