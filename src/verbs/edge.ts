import { prepareVerb } from '../command/parse.ts';
import type { Command, VerbRow } from '../command/types.ts';
import { HostError, type Host } from '../host/host.ts';
import { ImageError } from '../image/error.ts';
import { Failure } from '../run/failure.ts';
import { commandLine, printable } from './command-line.ts';

/** What a verb does with a command line that fits its row; its result is the exit status. */
export type Body = (host: Host, command: Command) => number;

/**
 * The outer edge of a native verb: the command line is parsed, `--help` answered, and whatever goes wrong becomes one line on
 * standard error and an exit status (125, unless the failure says another).
 */
export function verb(row: VerbRow, body: Body): (host: Host) => number {
  prepareVerb(row);
  return host =>
    atEdge(host, () => {
      const command = commandLine(host, row);
      return typeof command === 'number' ? command : body(host, command);
    });
}

export function atEdge(host: Host, body: () => number): number {
  try {
    return body();
  } catch (error) {
    if (error instanceof Failure) {
      for (const line of error.lines) say(host, line);
      return error.status;
    }
    // RangeError: what ops/ cannot do, with its reason.
    if (!(error instanceof HostError) && !(error instanceof ImageError) && !(error instanceof RangeError)) throw error;
    say(host, error.message);
    return 125;
  }
}

/** One line on standard error. */
export function say(host: Host, line: string): void {
  host.write(2, `berth: ${printable(line)}\n`);
}

/** Does the same for each operand and goes on after a failure, as the peer does; the first failure's status, or 0. */
export function forEachOperand(host: Host, operands: readonly string[], body: (operand: string) => number): number {
  let status = 0;
  for (const operand of operands) {
    const one = atEdge(host, () => body(operand));
    if (status === 0) status = one;
  }
  return status;
}
