import { LOGS } from '../command/options-container.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { findContainer, isName, listContainers, requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { verb } from './edge.ts';
import { journalTime } from './journal-time.ts';

/** `berth logs`: a front to the journal; becomes journalctl(1) for the containers' units, whose lines it merges in the order of time. */
export const main: (host: Host) => number = verb(LOGS, (host, command) => {
  const wanted = command.operands.map(word => wantedOf(host, word));
  const matches = wanted.flatMap(({ match }, index) => (index === 0 ? match : ['+', ...match]));
  const oldest = Math.min(...wanted.map(({ since }) => since));
  const argv = ['journalctl', '--no-pager', '--quiet', ...options(command, oldest), ...matches];
  return host.exec(argv, host.environmentList());
});

interface Wanted {
  readonly match: readonly string[];
  /** Seconds since the epoch; 0: everything. */
  readonly since: number;
}

/**
 * The lines of this start only, as the peer shows them: earlier starts of the unit are journalctl's to show. The container of a unit that
 * has ended is gone; what it said is not.
 */
function wantedOf(host: Host, word: string): Wanted {
  const present = findContainer(host, word) !== undefined || isUnitOfContainer(host, word);
  if (!present) {
    const match = unitMatches(host, word.endsWith('.service') ? word : `${word}.service`);
    const argv = ['journalctl', '--quiet', '--no-pager', '--lines=1', '--output=cat', ...match];
    const { stdout } = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
    if (stdout !== '' && isName(word)) return { match, since: 0 };
  }
  const { state } = requireContainer(host, word);
  if (!state.logDriver.startsWith('journald') && !state.logDriver.startsWith('passthrough')) {
    throw new Failure(125, `${word}: its log driver ${state.logDriver} keeps nothing that could be read`);
  }
  if (state.unit === '' || state.unit.endsWith('.scope')) {
    throw new Failure(125, `${word}: runs in the foreground and writes to its terminal`);
  }
  return { match: unitMatches(host, state.unit, state.manager), since: state.created };
}

function isUnitOfContainer(host: Host, word: string): boolean {
  const unit = word.endsWith('.service') ? word : `${word}.service`;
  return listContainers(host).some(one => one.state?.unit === unit);
}

/** Fields that the journal itself makes of the sender's group: the manager's own lines about the unit do not match. */
function unitMatches(host: Host, unit: string, manager = host.euid === 0 ? 'system' : 'user'): string[] {
  const own = manager === 'user' ? [`_SYSTEMD_USER_UNIT=${unit}`, `_UID=${host.euid}`] : [`_SYSTEMD_UNIT=${unit}`];
  // Our own events come over the journal's native socket: they are no output of the container.
  return [...own, '_TRANSPORT=stdout', '_TRANSPORT=syslog'];
}

function options(command: Command, oldest: number): string[] {
  const words = [`--output=${outputOf(command)}`];
  if (isSet(command, 'follow')) words.push('--follow');
  for (const name of ['grep', 'priority'] as const) {
    const value = lastValue(command, name);
    if (value !== undefined) words.push(`--${name}=${value}`);
  }
  for (const name of ['since', 'until'] as const) {
    const value = lastValue(command, name);
    if (value !== undefined) words.push(`--${name}=${journalTime(value)}`);
  }
  if (lastValue(command, 'since') === undefined && oldest > 0) words.push(`--since=@${oldest}`);
  const tail = lastValue(command, 'tail');
  words.push(tail === undefined || Number(tail) < 0 ? '--lines=all' : `--lines=${tail}`);
  return words;
}

function outputOf(command: Command): string {
  const format = lastValue(command, 'format');
  if (format !== undefined && format !== 'json') throw new Failure(125, `--format ${format}: write json`);
  if (format === 'json') return 'json';
  return isSet(command, 'timestamps') ? 'short-iso' : isSet(command, 'names') ? 'with-unit' : 'cat';
}
