import { describe, type Problem } from '../base/problem.ts';

/**
 * The end of a command: what is said (one line each, lower case, no full stop) and the exit status.
 * It travels as an exception, like HostError, so that `finally` and the undo list run on the way.
 */
export class Failure extends Error {
  readonly status: number;
  readonly lines: readonly string[];
  constructor(status: number, lines: string | readonly string[]) {
    const list = typeof lines === 'string' ? [lines] : lines;
    super(list.join('\n'));
    this.name = 'Failure';
    this.status = status;
    this.lines = list;
  }
}

/** A Failure that says every error of a list. */
export function failureOf(problems: readonly Problem[], status = 125): Failure {
  return new Failure(status, problems.filter(one => one.severity === 'error').map(describe));
}
