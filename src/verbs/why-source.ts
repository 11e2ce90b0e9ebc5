import { decodeText } from '../base/text.ts';
import type { Unit } from '../quadlet/model.ts';
import { whoFailed } from '../systemd/unit-commands.ts';
import type { UnitState } from '../systemd/units.ts';
import { placeOf, type Entry } from '../unit/document.ts';

/** Keys that say what the main process is; the first that is there. */
const PROGRAM = ['Exec', 'Entrypoint', 'Image'];

/** Keys that have to do with a result and are not in its words. */
const BY_RESULT: Readonly<Record<string, readonly string[]>> = {
  protocol: PROGRAM,
};

/** Berth's own status: what it lacked is in its line in the journal. */
const NOT_STARTED = 125;

/** Where the unit file says what a reason is about, as `FILE:LINE: KEY=VALUE`; the file alone when no line of it can be named. */
export function sourceLine(unit: Unit | undefined, state: UnitState, reason: string): string[] {
  if (unit === undefined) return state.sourcePath === '' ? [] : [state.sourcePath];
  const entry = entryOf(unit, state, reason);
  if (entry === undefined) return [decodeText(unit.path)];
  const { file, line } = placeOf(entry);
  const value = entry.value.split('\n', 1)[0] ?? '';
  return [decodeText(`${file}:${line}: ${entry.key}=${value.trim()}`)];
}

function entryOf(unit: Unit, state: UnitState, reason: string): Entry | undefined {
  const entries = unit.document.sections.flatMap(section => section.entries);
  const last = (keys: readonly string[]): Entry | undefined =>
    keys.map(key => entries.findLast(entry => entry.key === key)).find(entry => entry !== undefined);
  const named = [...reason.matchAll(/\b([A-Z][A-Za-z]+)=/g)].map(([, key = '']) => key);
  if (state.result === 'oom-kill') return last(['Memory', 'MemoryMax']) ?? limit(entries);
  const who = whoFailed(state);
  if (typeof who === 'object') {
    // Several lines of one key are told apart by their last words; ours are in no file.
    const word = who.words.at(-1) ?? '';
    return entries.findLast(({ key, value }) => key === who.key && value.includes(word)) ?? last(named.slice(1));
  }
  if (who === 'main' && named.length === 0) return state.mainStatus === NOT_STARTED ? undefined : last(PROGRAM);
  return last([...named, ...(BY_RESULT[state.result] ?? [])]);
}

/** Of the memory, where no key of its own says it. */
const limit = (entries: readonly Entry[]): Entry | undefined =>
  entries.findLast(({ key, value }) => key === 'PodmanArgs' && /(^|\s)(--memory|-m)\b(?!-)/.test(value));
