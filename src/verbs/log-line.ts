import { lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { fieldOf, type Entry } from './journal-entries.ts';
import { journalTime } from './journal-time.ts';

/** A line of a container's log, wherever it is kept. */
export interface LogLine {
  /** Microseconds since the epoch. */
  readonly time: number;
  /** The container's. */
  readonly name: string;
  readonly priority: number;
  readonly text: Buffer;
  readonly entry: Entry;
}

/** The line of an entry of the journal; `names` maps units to containers. */
export function lineOf(entry: Entry, names: ReadonlyMap<string, string>): LogLine {
  const unit = fieldOf(entry, '_SYSTEMD_USER_UNIT') || fieldOf(entry, '_SYSTEMD_UNIT');
  const message = entry['MESSAGE'];
  return {
    time: Number(fieldOf(entry, '__REALTIME_TIMESTAMP')),
    name: names.get(unit) ?? names.get(fieldOf(entry, '_SYSTEMD_UNIT')) ?? unit,
    priority: Number(fieldOf(entry, 'PRIORITY') || '6'),
    text: Array.isArray(message) ? Buffer.from(message as number[]) : Buffer.from(fieldOf(entry, 'MESSAGE')),
    entry,
  };
}

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** --since, --until, --priority and --grep as one question, for lines of both kinds. */
export function lineFilter(host: Host, command: Command): (line: LogLine) => boolean {
  const [since, until] = [moment(host, command, 'since'), moment(host, command, 'until')];
  const level = lastValue(command, 'priority');
  const most = level === undefined ? 7 : LEVELS.includes(level) ? LEVELS.indexOf(level) : Number(level);
  if (!Number.isInteger(most) || most < 0 || most > 7)
    throw new Failure(125, `--priority ${level ?? ''}: write one of ${LEVELS.join(', ')}`);
  const pattern = patternOf(lastValue(command, 'grep'));
  return ({ time, priority, text }) =>
    time >= (since ?? 0) &&
    time <= (until ?? Infinity) &&
    priority <= most &&
    (pattern === undefined || pattern.test(text.toString('utf8')));
}

/** journalctl(1) takes a pattern of small letters for all letters. */
function patternOf(text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  const pattern = Buffer.from(text, 'latin1').toString('utf8');
  try {
    return new RegExp(pattern, pattern === pattern.toLowerCase() ? 'iu' : 'u');
  } catch {
    throw new Failure(125, `--grep ${text}: not a regular expression`);
  }
}

/** Microseconds since the epoch; systemd-analyze(1) reads what journalctl(1) would. */
export function moment(host: Host, command: Command, name: 'since' | 'until'): number | undefined {
  const value = lastValue(command, name);
  if (value === undefined) return undefined;
  const text = journalTime(value);
  if (/^@[\d.]+$/.test(text)) return Number(text.slice(1)) * 1e6;
  const argv = ['systemd-analyze', 'timestamp', '--', text];
  const { stdout } = host.run({ argv, environment: host.environmentList(), stdout: 'capture', stderr: 'capture' });
  const seconds = /UNIX seconds: @([\d.]+)/.exec(stdout)?.[1];
  if (seconds === undefined) throw new Failure(125, `--${name} ${value}: not a time`);
  return Number(seconds) * 1e6;
}
