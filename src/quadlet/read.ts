import type { Bytes } from '../host/host.ts';
import type { Entry } from '../unit/document.ts';
import { plainBoolean, scalar, splitArguments, splitWords, type WordsRead } from '../unit/values.ts';
import type { KeyKind } from './keys.ts';
import { failAt, type Unit } from './model.ts';

/** A value with the assignment it stands in. */
export interface Item {
  readonly value: Bytes;
  readonly entry: Entry;
}

/** Assignments of a key of the type's section; an empty one forgets the earlier ones. */
export function assignments(unit: Unit, key: string): readonly Entry[] {
  const entries = unit.present.get(key);
  return entries === undefined ? NONE : afterReset(entries);
}

const NONE: readonly Entry[] = [];

export function afterReset(entries: readonly Entry[]): readonly Entry[] {
  for (let i = entries.length - 1; i >= 0; i--) if (entries[i]?.value === '') return entries.slice(i + 1);
  return entries;
}

/** The last assignment; undefined when the key is absent. */
export function lastOf(unit: Unit, key: string): Entry | undefined {
  const entries = unit.present.get(key);
  return entries?.[entries.length - 1];
}

/** The last assignment; undefined when the key is absent. An empty value is given as such. */
export function lastItem(unit: Unit, key: string): Item | undefined {
  const entry = lastOf(unit, key);
  return entry === undefined ? undefined : { value: scalar(entry.value), entry };
}

/** The value of a scalar that counts as not set when empty. */
export function readScalar(unit: Unit, key: string): Bytes | undefined {
  const entry = lastOf(unit, key);
  if (entry === undefined) return undefined;
  const value = scalar(entry.value);
  return value === '' ? undefined : value;
}

/** A boolean; `absent` when the key is not there. Everything that systemd would not take is an error. */
export function readBoolean(unit: Unit, key: string): boolean | undefined {
  const entry = lastOf(unit, key);
  if (entry === undefined) return undefined;
  const text = scalar(entry.value);
  const value = plainBoolean(text);
  if (value === undefined) {
    failAt(unit, entry, 'boolean', `\`${key}=${text}\` is neither true nor false`, { hint: 'write yes or no' });
  }
  return value ?? false;
}

export function readList(unit: Unit, key: string): Item[] {
  const items: Item[] = [];
  const entries = assignments(unit, key);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    if (entry !== undefined) items.push({ value: entry.value, entry });
  }
  return items;
}

/** All words, quotes taken off; an unbalanced quote is an error, since the whole assignment would be lost. */
export function readWords(unit: Unit, key: string): Item[] {
  return itemsOf(unit, key, splitWords);
}

/** All words, quotes taken off, escapes decoded. */
export function readArguments(unit: Unit, key: string): Item[] {
  return itemsOf(unit, key, splitArguments);
}

/** Words of the last assignment. */
export function readLastArguments(unit: Unit, key: string): readonly Bytes[] {
  const entry = lastOf(unit, key);
  return entry === undefined ? NO_WORDS : tolerant(unit, entry).words;
}

const NO_WORDS: readonly Bytes[] = [];

function itemsOf(unit: Unit, key: string, cut: (value: Bytes) => WordsRead): Item[] {
  const items: Item[] = [];
  for (const entry of assignments(unit, key)) {
    const { words, fault } = cut(entry.value);
    if (fault !== undefined) {
      const { part, hint, message } = fault;
      const more = { part, ...(hint !== undefined && { hint }) };
      failAt(unit, entry, 'quoting', `\`${entry.key}=\` ${message}`, more);
      continue;
    }
    for (let i = 0; i < words.length; i++) items.push({ value: words[i] ?? '', entry });
  }
  return items;
}

/** In these the peer only warns of a bad escape, and leaves out the assignment; a quote that is open it ends there. */
export const TOLERANT: ReadonlySet<KeyKind> = new Set(['pairs', 'args-last']);

function tolerant(unit: Unit, entry: Entry): WordsRead {
  const read = splitArguments(entry.value);
  if (read.fault === undefined) return read;
  const { part, message, hint } = read.fault;
  failAt(unit, entry, 'quoting', `\`${entry.key}=\` ${message}`, { part, ...(hint !== undefined && { hint }) });
  return message.startsWith('has an unbalanced') ? read : { words: [] };
}

const NOTHING: WordsRead = { words: [] };

/** `NAME=VALUE` words, the last of a name counts, in byte order of the names. */
export function readPairs(unit: Unit, key: string): Bytes[] {
  const entries = assignments(unit, key);
  const pairs = new Map<Bytes, Bytes>();
  for (let k = 0; k < entries.length; k++) {
    const entry = entries[k];
    const { words } = entry === undefined ? NOTHING : tolerant(unit, entry);
    if (words.length < 2 && entries.length === 1) return words;
    for (let i = 0; i < words.length; i++) {
      const word = words[i] ?? '';
      const equal = word.indexOf('=');
      pairs.set(equal < 0 ? word : word.slice(0, equal), word);
    }
  }
  return [...pairs.keys()].sort().map(name => pairs.get(name) ?? '');
}
