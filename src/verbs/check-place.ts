import type { Problem } from '../base/problem.ts';
import type { Bytes } from '../host/host.ts';
import type { Unit } from '../quadlet/model.ts';
import { placeOf, type Entry } from '../unit/document.ts';
import { splitArguments, splitWords } from '../unit/values.ts';

/** At the key that became the option; nothing where that key has an error already. */
export function placed(unit: Unit, { severity, code, message, key, hint }: Problem): Problem[] {
  const found = entryOf(unit, (key ?? /^--[a-z0-9-]+/.exec(message)?.[0] ?? '').replace(/^--/, ''), message);
  const place =
    found === undefined ? { file: unit.path } : { ...placeOf(found.entry, found.part), key: found.entry.key };
  // Without a place it may be what a missing key leads to, and that was told.
  const isKnown = found === undefined ? unit.problems.some(p => p.code === 'required') : isTold(unit, found.entry);
  if (isKnown) return [];
  const text = severity === 'error' ? `the start would refuse this: ${message}` : message;
  return [{ severity, code, message: text, ...place, ...(hint === undefined ? {} : { hint }) }];
}

function isTold(unit: Unit, entry: Entry): boolean {
  const lines = [placeOf(entry).line, entry.at + 1];
  const counts = ({ severity, code }: Problem): boolean => severity === 'error' || code === 'value';
  return unit.problems.some(p => counts(p) && p.key === entry.key && lines.includes(p.line ?? 0));
}

/** Keys that become a part of an option, or an option of another command. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  opt: ['Options', 'User', 'Group'],
  time: ['StopTimeout'],
  image: ['Image', 'ImageTag', 'Artifact'],
  PodmanArgs: ['PodmanArgs'],
  GlobalArgs: ['GlobalArgs'],
  // The name itself.
  '': ['NetworkName', 'VolumeName', 'PodName'],
};

/** What a message names: the whole of a value or a word of it. `rank`: 2 right behind the option, 1 the option itself. */
interface Named {
  readonly entry: Entry;
  readonly part: Bytes;
  readonly rank: number;
}

/** The assignment whose value the message names best, otherwise the last one. */
function entryOf(unit: Unit, option: string, message: string): { entry: Entry; part: Bytes } | undefined {
  const entriesOf = (keys: readonly string[]): Entry[] => keys.flatMap(key => unit.present.get(key) ?? []);
  const rows = unit.table.rows.filter(row => row.option === option && option !== '');
  const entries = entriesOf([...rows.map(row => row.key), ...(PARTS[option] ?? [])]);
  const words = entriesOf(['PodmanArgs', 'GlobalArgs']);
  const named = [
    ...entries.flatMap(entry => namedIn(entry, [entry.value, ...splitWords(entry.value).words], option, message)),
    ...words.flatMap(entry => namedIn(entry, argumentsOf(entry), option, message).filter(isOption)),
  ];
  const best = named.reduce<Named | undefined>((one, other) => (isBetter(other, one) ? other : one), undefined);
  if (best !== undefined) return best;
  const entry = entries.at(-1) ?? words.findLast(({ value }) => option !== '' && value.includes(option));
  return entry === undefined ? undefined : { entry, part: '' };
}

/** Words, and of `--name=value` both parts. */
function argumentsOf({ value }: Entry): Bytes[] {
  return splitArguments(value).words.flatMap(word => {
    const equal = word.startsWith('--') ? word.indexOf('=') : -1;
    return equal < 0 ? [word] : [word.slice(0, equal), word.slice(equal + 1)];
  });
}

/** Any word may be within a message by chance: of arguments, the options and what stands behind them count. */
function isOption({ part, rank }: Named): boolean {
  return rank > 0 || part.startsWith('--');
}

function namedIn(entry: Entry, parts: readonly Bytes[], option: string, message: string): Named[] {
  const lower = message.toLowerCase();
  return parts.flatMap(part => {
    const one = part.toLowerCase();
    if (one === '' || !lower.includes(one)) return [];
    return [{ entry, part, rank: lower.startsWith(`--${option} ${one}`) ? 2 : one === `--${option}` ? 1 : 0 }];
  });
}

/** Of `/tmp` and `/tmp:foo` the longer one is meant. */
function isBetter(one: Named, other: Named | undefined): boolean {
  if (other === undefined || one.rank !== other.rank) return one.rank > (other?.rank ?? -1);
  return one.part.length > other.part.length;
}
