import { HEALTH } from '../command/options-container.ts';
import { lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { readHealth, type HealthResults } from '../run/health-results.ts';
import { printable } from './command-line.ts';
import { forEachOperand, verb } from './edge.ts';

/** `berth health`: what the relay of a container has found out; 0 only when all of them are healthy. */
export const main: (host: Host) => number = verb(HEALTH, (host, command) => {
  const format = lastValue(command, 'format') ?? '';
  if (format !== '' && format !== 'json') throw new Failure(125, `--format ${format}: only json`);
  const all: unknown[] = [];
  const status = forEachOperand(host, command.operands, word => {
    const { state } = requireContainer(host, word);
    const results = readHealth(host, state);
    if (results === undefined) throw new Failure(125, `${state.name}: container has no health check`);
    if (format === 'json') all.push({ Name: state.name, ...results });
    else host.write(1, shown(state.name, results));
    return results.Status === 'healthy' ? 0 : 1;
  });
  if (format === 'json') host.write(1, `${JSON.stringify(all, undefined, 2)}\n`);
  return status;
});

function shown(name: string, results: HealthResults): string {
  const streak = results.FailingStreak;
  const failures = streak === 0 ? '' : `, ${streak} failure${streak === 1 ? '' : 's'} in a row`;
  const lines = results.Log.map(one => {
    const output = one.Output.replaceAll('\n', ' ').trim();
    const word = one.ExitCode === 0 ? 'well' : `failed (${one.ExitCode})`;
    return `  ${one.Start.slice(0, 19).replace('T', ' ')}  ${word}${output === '' ? '' : `  ${printable(output)}`}\n`;
  });
  return `${printable(name)}: ${results.Status}${failures}\n${lines.join('')}`;
}
