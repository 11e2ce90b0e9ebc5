import { EVENTS } from '../base/events.ts';
import type { Host } from '../host/host.ts';
import type { Scope } from './bus.ts';
import { inNamespaces } from './journal-namespace.ts';
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
  return readLines(host, [...inNamespaces([state.logNamespace]), `--lines=${count}`, ...match]);
}

/** What the manager itself said of a start that failed before a program of the unit could say anything. */
export function managerLines(host: Host, scope: Scope, { name, invocation }: UnitState): string[] {
  if (invocation === '') return [];
  const field = scope.kind === 'user' ? 'USER_INVOCATION_ID' : 'INVOCATION_ID';
  const lines = readLines(host, ['--priority=notice', '--lines=20', `${field}=${invocation}`]);
  const told = lines.filter(line => !/^Failed to start |: Failed with result '/.test(line));
  return [...new Set(told.map(line => line.replace(`${name}: `, '')))].slice(-3);
}

/** SD_MESSAGE_UNIT_OUT_OF_MEMORY of systemd. */
const OUT_OF_MEMORY = 'fe6faa94e7774663a0da52717891d8ef';

/** That the kernel killed a process of its last invocation for want of memory: with OOMPolicy=continue, a container's, the manager says it and goes on. */
export function ranOutOfMemory(host: Host, scope: Scope, { invocation }: UnitState): boolean {
  const [field, by] = scope.kind === 'user' ? ['USER_INVOCATION_ID', `_UID=${scope.uid}`] : ['INVOCATION_ID', '_PID=1'];
  const match = [`MESSAGE_ID=${OUT_OF_MEMORY}`, by, `${field}=${invocation}`];
  return invocation !== '' && readLines(host, ['--lines=1', ...match]).length > 0;
}

/** The same of a unit that the manager has forgotten, since then (seconds since the epoch). */
export function saysOutOfMemory(host: Host, scope: Scope, name: string, since: number): boolean {
  const match = [`--since=@${since}`, `MESSAGE_ID=${OUT_OF_MEMORY}`, ...byManager(scope, name)];
  return readLines(host, ['--lines=1', ...match]).length > 0;
}

const byManager = (scope: Scope, name: string): string[] =>
  scope.kind === 'user' ? [`USER_UNIT=${name}`, `_UID=${scope.uid}`] : [`UNIT=${name}`, '_PID=1'];

/** That the last start of a unit did nothing, since a condition or an assertion of it does not hold; systemd has forgotten such a unit at once. */
export function skippedLine(host: Host, scope: Scope, name: string): string | undefined {
  const lines = readLines(host, ['--boot', '--lines=2', ...byManager(scope, name)]);
  return NOT_BEGUN.test(lines.at(-1) ?? '') ? lines.find(line => NOT_BEGUN.test(line)) : undefined;
}

const NOT_BEGUN = /skipped|assert/i;

/** Control characters are shown as text. */
export function readLines(host: Host, words: readonly string[]): string[] {
  const argv = ['journalctl', '--quiet', '--no-pager', '--output=cat', ...words];
  const done = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const shown = done.stdout.replace(/[\x00-\x09\x0b-\x1f\x7f]/g, c => (c === '\t' ? ' ' : '?'));
  return shown.split('\n').filter(line => line !== '');
}
