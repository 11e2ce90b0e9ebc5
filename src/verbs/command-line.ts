import { describe, problem, type Problem } from '../base/problem.ts';
import { helpOf } from '../command/help.ts';
import { asksHelp, parseVerb } from '../command/parse.ts';
import type { Command, VerbRow } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { forAccount } from './for-account.ts';
import { withLatest } from './latest.ts';

/**
 * The first step of every verb: its command line as a value, or the exit status with which the verb ends at once
 * (0 after `--help`; `usage`, by default 125 as the peer has it, after problems, each of them one line on standard error).
 */
export function commandLine(host: Host, row: VerbRow, usage = 125): Command | number {
  const parsed = parseVerb(row, host.argv);
  if (parsed.isErr()) return complain(host, parsed.error, usage);
  if (!asksHelp(parsed.value))
    return (
      refuseModule(host, row, parsed.value) ?? forAccount(host, parsed.value) ?? withLatest(host, row, parsed.value)
    );
  host.write(1, helpOf(row));
  return 0;
}

/**
 * What a module sets would silently be missing. The verbs of ExecStop= and ExecStopPost= have nothing to take from it: that of their unit
 * gets one line, from its start.
 */
function refuseModule(host: Host, row: VerbRow, command: Command): number | undefined {
  const use = command.globals.find(one => one.name === 'module');
  if (use === undefined || ENDING.has(row.name)) return undefined;
  const hint = 'containers.conf is not read; write what the module sets as keys of the unit or as options';
  return complain(host, [problem('refused', `--module ${use.value} is not supported`, { key: '--module', hint })], 125);
}

const ENDING: ReadonlySet<string> = new Set(['rm', 'stop', 'pod rm', 'pod stop', 'kube down']);

/** Prints problems, one line each, control characters shown as text (T28); returns `status`. */
export function complain(host: Host, problems: readonly Problem[], status: number): number {
  host.write(2, problems.map(p => `berth: ${printable(describe(p))}\n`).join(''));
  return status;
}

/** Text from outside for a terminal: control characters become `\xHH`. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\x00-\x1f\x7f]/g, c => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
