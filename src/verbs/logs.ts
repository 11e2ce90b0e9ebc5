import { LOGS } from '../command/options-container.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { verb } from './edge.ts';
import { journalTime } from './journal-time.ts';
import {
  isSystems,
  journalMatches,
  logSource,
  oldestStart,
  type JournalSource,
  type LogSource,
} from './log-sources.ts';

/**
 * `berth logs`: a front to the journal; becomes journalctl(1) for the containers' units, whose lines it merges in the order of time. Names,
 * colours, a terminal to protect, log files and an end to follow to are Node's to do (logs-merged.ts).
 */
export const main: (host: Host) => number = verb(LOGS, (host, command) => {
  const format = lastValue(command, 'format');
  if (format !== undefined && format !== 'json') throw new Failure(125, `--format ${format}: write json`);
  const sources = command.operands.map(word => logSource(host, word));
  const closed = host.euid !== 0 && sources.some(isSystems);
  if (closed || !sources.every(isJournal) || needsMerger(host, command)) return merged(host);
  const argv = ['journalctl', '--no-pager', '--quiet', ...options(command, oldestStart(sources))];
  return host.exec([...argv, ...journalMatches(sources)], host.environmentList());
});

function isJournal(source: LogSource): source is JournalSource {
  return source.kind === 'journal';
}

function needsMerger(host: Host, command: Command): boolean {
  // It would wait for more when nobody is left to say it.
  if (isSet(command, 'follow')) return true;
  const asked = (['names', 'color', 'timestamps'] as const).some(name => isSet(command, name));
  // journalctl(1) takes no end before the beginning that we add; and it says in its own words what is no time and no level.
  const until = lastValue(command, 'until') !== undefined;
  if (!LEVEL.test(lastValue(command, 'priority') ?? '')) return true;
  // Of a pattern and a number of lines it makes the last ones in reverse order.
  if (lastValue(command, 'grep') !== undefined && Number(lastValue(command, 'tail') ?? '-1') >= 0) return true;
  return asked || until || !PLAIN_TIME.test(journalTime(lastValue(command, 'since') ?? '@0')) || host.isTerminal(1);
}

const LEVEL = /^([0-7]|emerg|alert|crit|err|warning|notice|info|debug|)$/;
const PLAIN_TIME = /^(@[\d.]+|-(\d+(h|ms|m|s))+|\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?|today|yesterday|now)$/;

function merged(host: Host): never {
  const at = host.argv.indexOf('logs');
  const words = [...host.argv.slice(1, at), 'logs-merged', ...host.argv.slice(at + 1)];
  return host.exec([host.readlink('/proc/self/exe'), ...words], host.environmentList());
}

function options(command: Command, oldest: number): string[] {
  const format = lastValue(command, 'format');
  // As JSON a field of more than 4096 bytes is null without --all.
  const words = format === undefined ? ['--output=cat'] : [`--output=${format}`, '--all'];
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
