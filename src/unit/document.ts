import type { Problem } from '../base/problem.ts';
import type { Bytes } from '../host/host.ts';

/** A text of lines, from a file; `lines` have no line ends. Byte strings. */
export interface Source {
  readonly path: Bytes;
  /** With `\n` as line end, without byte order mark. */
  readonly text: Bytes;
  /** Cut when somebody asks, see `linesOf`. */
  lines: Bytes[] | undefined;
  /** Lines that are written into a service, when they differ: without blanks at their ends, which systemd and the peer read differently. */
  clean: Bytes[] | undefined;
  /** True when the last line ended with a newline. */
  readonly closed: boolean;
  readonly bom: boolean;
  /** How many carriage returns stood at the end of each line; undefined: none. */
  readonly returns: readonly number[] | undefined;
}

/** The lines of a text, without line ends. */
export function linesOf(source: Source): Bytes[] {
  if (source.lines === undefined) {
    source.lines = source.text.split('\n');
    if (source.closed) source.lines.pop();
  }
  return source.lines;
}

/** The lines as they are written into a service. */
export function cleanLinesOf(source: Source): Bytes[] {
  return source.clean ?? linesOf(source);
}

/** `KEY=VALUE`, which may stand on several lines. `at` counts lines from 0. Few members: a boot makes many of these. */
export interface Entry {
  readonly key: Bytes;
  readonly value: Bytes;
  readonly section: Section;
  readonly at: number;
}

/** One `[NAME]` and what follows it up to the next header. The same name may come again. */
export interface Section {
  readonly name: Bytes;
  readonly source: Source;
  /** Line of the header. */
  readonly at: number;
  /** Line behind the section. */
  end: number;
  /** Where its lines begin and end in the text of the source, when they can be taken over as they are; -1: they cannot. */
  readonly from: number;
  readonly to: number;
  readonly entries: Entry[];
  /** Entries of several lines: the line behind each. */
  ends?: Map<Entry, number>;
  /** What is written instead of an entry's lines; empty: nothing. */
  changed?: Map<Entry, Bytes>;
}

/** The line behind an entry. */
export function endOf(entry: Entry): number {
  return entry.section.ends?.get(entry) ?? entry.at + 1;
}

/** Has `text` written in place of an entry's lines; empty: nothing. */
export function replaceEntry(entry: Entry, text: Bytes): void {
  (entry.section.changed ??= new Map()).set(entry, text);
}

/** A unit file as it was read, drop-ins appended; nothing of it is lost. */
export interface Document {
  readonly source: Source;
  /** In order of appearance; those of drop-ins come last. */
  readonly sections: Section[];
  /** What could not be read. */
  readonly problems: Problem[];
}

/** The text that was read, byte for byte. */
export function originalText(source: Source): Bytes {
  const { bom, closed, returns } = source;
  const lines = closed ? [...linesOf(source), ''] : linesOf(source);
  const ended = returns === undefined ? lines : lines.map((line, i) => line + '\r'.repeat(returns[i] ?? 0));
  return (bom ? BOM : '') + ended.join('\n');
}

/** UTF-8 byte order mark, as bytes. */
export const BOM = '\xef\xbb\xbf';

/** All assignments of the sections of one name, in order. */
export function entriesOf(document: Document, section: Bytes): readonly Entry[] {
  let found: readonly Entry[] | undefined;
  for (const one of document.sections) {
    if (one.name !== section || one.entries.length === 0) continue;
    found = found === undefined ? one.entries : [...found, ...one.entries];
  }
  return found ?? NONE;
}

const NONE: readonly Entry[] = [];

/** The last assignment of a key in such a list. */
export function lastEntry(entries: readonly Entry[], key: Bytes): Entry | undefined {
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i];
    if (entry?.key === key) return entry;
  }
  return undefined;
}

/** Line and column, from 1, of the value of an entry; of `part` in it when that is found there. */
export function placeOf(entry: Entry, part?: Bytes): { file: Bytes; line: number; column: number } {
  const file = entry.section.source.path;
  const lines = linesOf(entry.section.source);
  const first = lines[entry.at] ?? '';
  const equal = first.indexOf('=') + 1;
  if (part !== undefined && part !== '') {
    for (let i = entry.at; i < endOf(entry); i++) {
      const column = (lines[i] ?? '').indexOf(part, i === entry.at ? equal : 0);
      if (column >= 0) return { file, line: i + 1, column: column + 1 };
    }
  }
  let column = equal;
  while (column < first.length && first.charCodeAt(column) <= 32) column++;
  // `KEY=\`: the value begins on a later line.
  for (let i = entry.at + 1; i < endOf(entry) && ONLY_CONTINUES.test(first.slice(column)); i++) {
    const begin = FIRST_LETTER.exec(lines[i] ?? '');
    if (begin !== null) return { file, line: i + 1, column: begin[0].length };
  }
  return { file, line: entry.at + 1, column: Math.min(column, Math.max(first.length - 1, 0)) + 1 };
}

const ONLY_CONTINUES = /^\\[ \t]*$/;
const FIRST_LETTER = /^[ \t]*(?!\\[ \t]*$)[^ \t#;]/;

/** Line and column of the key. */
export function placeOfKey(entry: Entry): { file: Bytes; line: number; column: number } {
  const first = linesOf(entry.section.source)[entry.at] ?? '';
  return { file: entry.section.source.path, line: entry.at + 1, column: Math.max(first.indexOf(entry.key), 0) + 1 };
}
