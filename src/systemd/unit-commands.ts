import type { UnitState } from './units.ts';

/** A command of an Exec…= line, and how it ended the last time; 0: it has not, or the manager has forgotten it (it was reloaded). */
export interface UnitCommand {
  readonly key: string;
  readonly words: readonly string[];
  /** CLD_EXITED 1, CLD_KILLED 2, CLD_DUMPED 3. */
  readonly code: number;
  readonly status: number;
  /** CLOCK_MONOTONIC in microseconds. */
  readonly ended: number;
}

const KEYS = ['ExecCondition', 'ExecStartPre', 'ExecStartPost', 'ExecReload', 'ExecStop', 'ExecStopPost'];

/** Of a service's properties, but for ExecStart=, whose end is the main process's; those whose failure is ignored (`-`) are left out. */
export function commandsOf(service: Readonly<Record<string, unknown>>): UnitCommand[] {
  return KEYS.flatMap(key => {
    const lines = service[key];
    return Array.isArray(lines) ? lines.flatMap(line => commandOf(key, line as readonly unknown[])) : [];
  });
}

/** a(sbasbttttuii): program, words, ignore failures, four times of which the last is the end, pid, code, status. */
function commandOf(key: string, line: readonly unknown[]): UnitCommand[] {
  const [, words, ignored, , , , ended, , code, status] = line;
  if (ignored === true || !Array.isArray(words)) return [];
  return [{ key, words: words.map(String), code: Number(code), status: Number(status), ended: Number(ended) }];
}

/** What a command's end must have been for the result of its service. */
const CODES: Readonly<Record<string, number>> = { 'exit-code': 1, signal: 2, 'core-dump': 3 };

/** SIGHUP, SIGINT, SIGPIPE, SIGTERM: systemd.service(5), SuccessExitStatus=. */
const CLEAN_SIGNALS = [1, 2, 13, 15];

/** Who ended as the result of the unit says: a command, or the main process; undefined: it is not known. The first of them made the result. */
export function whoFailed(state: UnitState): UnitCommand | 'main' | undefined {
  const code = CODES[state.result];
  const failed = state.commands
    .filter(one => one.code === code && (code !== 1 || one.status !== 0))
    .sort((a, b) => a.ended - b.ended);
  const isMain = state.mainCode === code && (code !== 1 || state.mainStatus !== 0);
  const [first] = failed;
  if (first === undefined) return isMain ? 'main' : undefined;
  const clean = code === 1 ? state.goodStatuses.includes(state.mainStatus) : CLEAN_SIGNALS.includes(state.mainStatus);
  return isMain && !clean && state.mainEnded <= first.ended ? 'main' : first;
}
