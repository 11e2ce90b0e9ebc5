import { problem, type Problem } from '../base/problem.ts';
import type { Bytes } from '../host/host.ts';
import { continues, join, tidy, type Joined } from './continuation.ts';
import { linesOf, replaceEntry, type Document, type Entry, type Section, type Source } from './document.ts';
import { splitSource } from './source.ts';
import { strip } from './strip.ts';
import { splitWords } from './values.ts';

/** systemd's LONG_LINE_MAX: a unit with a longer line, also one of several lines, is not loaded at all. */
const LONGEST_LINE = 1048576;

/**
 * Reads a unit file by systemd.syntax(7). Where the peer's reader differs from systemd's, systemd's rules hold, so that both see the same
 * lines in what we hand on: a continuation puts a space between its parts, an even number of backslashes does not continue.
 * One rule of the peer is kept: an empty line does not end a continuation, unless a header or an assignment follows.
 */
export function lex(path: Bytes, text: Bytes): Document {
  const problems: Problem[] = [];
  const source = splitSource(path, text, problems);
  const document: Document = { source, sections: [], problems };
  if (problems.length === 0) read(document);
  else document.sections.push(...installOf(source));
  return document;
}

/**
 * Of a text that cannot be read what starts the unit at boot, so that a boot shows the one that stands in for it. Bytes that two readers could take
 * differently are in no word of it.
 */
function installOf({ path, text, closed }: Source): Section[] {
  const plain = text.replace(UNREADABLE, '?');
  const source: Source = {
    path,
    text: plain,
    lines: undefined,
    clean: undefined,
    closed,
    bom: false,
    returns: undefined,
  };
  const document: Document = { source, sections: [], problems: [] };
  read(document);
  const found = document.sections.filter(section => section.name === 'Install');
  return found.map(section => {
    const entries: Entry[] = [];
    for (const { key, value, at } of section.entries) {
      const words = splitWords(value).words.filter(word => PLAIN_NAME.test(word));
      if (value === '' || words.length > 0) entries.push({ key, value: words.join(' '), section, at });
    }
    return { ...section, entries };
  });
}

const UNREADABLE = /[\0\r\x80-\xff]/g;
const PLAIN_NAME = /^[A-Za-z0-9:_.\\@-]+$/;

/** One pass over the lines. Kept together, since it is the loop that every unit file of a boot goes through. */
function read(document: Document): void {
  const { source, sections, problems } = document;
  const lines = linesOf(source);
  let section: Section | undefined;
  const count = lines.length;
  for (let i = 0; i < count; i++) {
    let line = lines[i] ?? '';
    if (line === '') continue;
    let first = line.charCodeAt(0);
    let last = line.charCodeAt(line.length - 1);
    if (first <= 32 || last <= 32 || first >= 128 || last >= 128) {
      line = strip(line);
      if (line !== lines[i]) tidy(source, i, line);
      if (line === '') continue;
      first = line.charCodeAt(0);
      last = line.charCodeAt(line.length - 1);
    }
    if (line.length > LONGEST_LINE) problems.push(tooLong(source, i));
    if (first === 35 || first === 59) continue;
    if (first === 91) {
      if (section !== undefined) section.end = i;
      section = header(source, i, line, problems);
      sections.push(section);
      continue;
    }
    let joined: Joined | undefined;
    if (last === 92 && continues(line)) {
      joined = join(source, i, line);
      line = joined.value;
      if (line.length > LONGEST_LINE) problems.push(tooLong(source, i));
    }
    const equal = line.indexOf('=');
    if (equal <= 0 || section === undefined) {
      problems.push(notAnAssignment(source, i, lines[i] ?? '', equal));
    } else {
      let key = line.slice(0, equal);
      if (key.charCodeAt(equal - 1) <= 32) key = strip(key);
      let value = line.slice(equal + 1);
      if (value.charCodeAt(0) <= 32 || joined !== undefined) value = strip(value);
      const entry = { key, value, section, at: i };
      section.entries.push(entry);
      if (joined !== undefined) severalLines(entry, joined, line);
    }
    if (joined !== undefined) i = joined.end - 1;
  }
  if (section !== undefined) section.end = lines.length;
}

function severalLines(entry: Entry, { end, irregular }: Joined, line: Bytes): void {
  (entry.section.ends ??= new Map()).set(entry, end);
  if (irregular) replaceEntry(entry, strip(line));
}

function header(source: Source, at: number, line: Bytes, problems: Problem[]): Section {
  const close = line.indexOf(']');
  const name = line.slice(1, close < 0 ? line.length : close);
  if (close !== line.length - 1 || name === '' || name.includes('[') || isUnsafe(name)) {
    const place = { file: source.path, line: at + 1, column: 1, hint: 'write `[Name]` alone on its line' };
    problems.push(problem('section', `\`${line}\` is not a section header`, place));
  }
  return { name, source, at, end: at + 1, from: -1, to: -1, entries: [] };
}

/** systemd loads no unit with a section of such a name. */
function isUnsafe(name: Bytes): boolean {
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c < 32 || c === 34 || c === 39 || c === 92 || c === 127) return true;
  }
  return false;
}

function notAnAssignment(source: Source, at: number, line: Bytes, equal: number): Problem {
  const place = { file: source.path, line: at + 1, column: 1 };
  if (equal > 0) {
    const hint = 'put a header such as `[Container]` above it';
    return problem('no-section', 'assignment before any section', { ...place, hint });
  }
  const shown = line.length > 60 ? `${line.slice(0, 60)}...` : line;
  return problem('no-assignment', `\`${shown}\` is neither KEY=VALUE, [Section] nor a comment`, place);
}

function tooLong(source: Source, at: number): Problem {
  const place = { file: source.path, line: at + 1, column: 1, hint: 'systemd loads no unit with such a line' };
  return problem('long-line', 'the line is longer than 1 MiB', place);
}
