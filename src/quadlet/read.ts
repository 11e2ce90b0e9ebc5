import type { Bytes } from '../host/host.ts';
import type { Entry } from '../unit/document.ts';
import { boolean, scalar, splitArguments, splitWords, type WordsRead } from '../unit/values.ts';
import { failAt, warnAt, type Unit } from './model.ts';

/** A value with the assignment it stands in. */
export interface Item {
  readonly value: Bytes;
  readonly entry: Entry;
}

/** Assignments of a key of the type's section; an empty one forgets the earlier ones. */
export function assignments(unit: Unit, key: string): readonly Entry[] {
  return afterReset(unit.present.get(key) ?? []);
}

export function afterReset(entries: readonly Entry[]): readonly Entry[] {
  for (let i = entries.length - 1; i >= 0; i--) if (entries[i]?.value === '') return entries.slice(i + 1);
  return entries;
}

/** The last assignment; undefined when the key is absent. An empty value is given as such. */
export function lastItem(unit: Unit, key: string): Item | undefined {
  const entry = unit.present.get(key)?.at(-1);
  return entry === undefined ? undefined : { value: scalar(entry.value), entry };
}

/** The value of a scalar that counts as not set when empty. */
export function readScalar(unit: Unit, key: string): Bytes | undefined {
  const item = lastItem(unit, key);
  return item === undefined || item.value === '' ? undefined : item.value;
}

/** A boolean; `absent` when the key is not there. Everything that systemd would not take is an error. */
export function readBoolean(unit: Unit, key: string): boolean | undefined {
  const item = lastItem(unit, key);
  if (item === undefined) return undefined;
  const value = boolean(item.value);
  if (value === undefined) {
    failAt(unit, item.entry, 'boolean', `\`${key}=${item.value}\` is neither true nor false`, {
      hint: 'write yes or no',
    });
  }
  return value ?? false;
}

export function readList(unit: Unit, key: string): Item[] {
  return assignments(unit, key).map(entry => ({ value: entry.value, entry }));
}

/** All words, quotes taken off; an unbalanced quote is an error, since the whole assignment would be lost. */
export function readWords(unit: Unit, key: string): Item[] {
  return assignments(unit, key).flatMap(entry => itemsOf(unit, entry, splitWords(entry.value)));
}

/** All words, quotes taken off, escapes decoded. */
export function readArguments(unit: Unit, key: string): Item[] {
  return assignments(unit, key).flatMap(entry => itemsOf(unit, entry, splitArguments(entry.value)));
}

/** Words of the last assignment. As the peer has it, one with a bad escape is left out with a warning. */
export function readLastArguments(unit: Unit, key: string): Bytes[] {
  const entry = unit.present.get(key)?.at(-1);
  return entry === undefined ? [] : tolerant(unit, entry).words;
}

function itemsOf(unit: Unit, entry: Entry, read: WordsRead): Item[] {
  if (read.fault !== undefined) {
    const { part, hint } = read.fault;
    failAt(unit, entry, 'quoting', `\`${entry.key}=\` ${read.fault.message}`, {
      part,
      ...(hint !== undefined && { hint }),
    });
    return [];
  }
  return read.words.map(value => ({ value, entry }));
}

function tolerant(unit: Unit, entry: Entry): WordsRead {
  const read = splitArguments(entry.value);
  if (read.fault === undefined) return read;
  const { part, message, hint } = read.fault;
  warnAt(unit, entry, 'quoting', `\`${entry.key}=\` ${message}`, { part, ...(hint !== undefined && { hint }) });
  return message.startsWith('has an unbalanced') ? read : { words: [] };
}

/** `NAME=VALUE` words, the last of a name counts, in byte order of the names. */
export function readPairs(unit: Unit, key: string): Bytes[] {
  const pairs = new Map<Bytes, Bytes>();
  for (const entry of assignments(unit, key)) {
    for (const word of tolerant(unit, entry).words) {
      const equal = word.indexOf('=');
      pairs.set(equal < 0 ? word : word.slice(0, equal), word);
    }
  }
  if (pairs.size < 2) return [...pairs.values()];
  return [...pairs.keys()].sort().map(name => pairs.get(name) ?? '');
}
