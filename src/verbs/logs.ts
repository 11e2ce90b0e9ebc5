import { LOGS } from '../command/options-container.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { verb } from './edge.ts';

/** `berth logs`: a front to the journal; becomes journalctl(1) for the container's unit. */
export const main: (host: Host) => number = verb(LOGS, (host, command) => {
  const units = command.operands.map(word => unitArguments(host, word));
  const matches = units.flatMap((unit, index) => (index === 0 ? unit : ['+', ...unit]));
  const oldest = Math.min(...command.operands.map(word => requireContainer(host, word).state.created));
  const argv = ['journalctl', '--no-pager', '--quiet', ...options(command, oldest), ...matches];
  return host.exec(argv, host.environmentList());
});

/** The lines of this start only, as the peer shows them: earlier starts of the unit are journalctl's to show. */
function unitArguments(host: Host, word: string): string[] {
  const { state } = requireContainer(host, word);
  if (!state.logDriver.startsWith('journald') && !state.logDriver.startsWith('passthrough')) {
    throw new Failure(125, `${word}: its log driver ${state.logDriver} keeps nothing that could be read`);
  }
  if (state.unit === '' || state.unit.endsWith('.scope')) {
    throw new Failure(125, `${word}: runs in the foreground and writes to its terminal`);
  }
  // Fields that the journal itself makes of the sender's group: the manager's own lines about the unit do not match.
  return state.manager === 'user'
    ? [`_SYSTEMD_USER_UNIT=${state.unit}`, `_UID=${host.euid}`]
    : [`_SYSTEMD_UNIT=${state.unit}`];
}

function options(command: Command, oldest: number): string[] {
  const words = [
    `--output=${isSet(command, 'timestamps') ? 'short-iso' : isSet(command, 'names') ? 'with-unit' : 'cat'}`,
  ];
  if (isSet(command, 'follow')) words.push('--follow');
  for (const name of ['since', 'until'] as const) {
    const value = lastValue(command, name);
    if (value !== undefined) words.push(`--${name}=${journalTime(value)}`);
  }
  if (lastValue(command, 'since') === undefined) words.push(`--since=@${oldest}`);
  const tail = lastValue(command, 'tail');
  words.push(tail === undefined || Number(tail) < 0 ? '--lines=all' : `--lines=${tail}`);
  return words;
}

/** The peer takes `10m` for ten minutes ago, and seconds since the epoch; journalctl writes them -10m and @N. */
function journalTime(value: string): string {
  if (/^\d+(\.\d+)?$/.test(value)) return `@${value}`;
  return /^(\d+(h|ms|m|s))+$/.test(value) ? `-${value}` : value;
}
