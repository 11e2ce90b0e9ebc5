import { problem, type Problem } from '../base/problem.ts';
import { nonText } from '../base/utf8.ts';
import type { Bytes } from '../host/host.ts';
import { BOM, replaceEntry, type Document, type Entry, type Section, type Source } from './document.ts';

/** systemd's LONG_LINE_MAX: a unit with a longer line is not loaded at all. */
const LONGEST_LINE = 1048576;

/**
 * Reads a unit file by systemd.syntax(7). Where the peer's reader differs from systemd's, systemd's rules hold, so that both see the same
 * lines in what we hand on: a continuation puts a space between its parts, an even number of backslashes does not continue.
 * One rule of the peer is kept: an empty line does not end a continuation, unless a header or an assignment follows.
 *
 * The text is cut by native string functions; no loop of ours looks at single characters of an ordinary line.
 */
export function lex(path: Bytes, text: Bytes): Document {
  const problems: Problem[] = [];
  const source = split(path, text, problems);
  const document: Document = { source, sections: [], problems };
  if (problems.length === 0) {
    if (isOrdinary(text)) readOrdinary(document);
    else read(document);
  }
  return document;
}

function split(path: Bytes, text: Bytes, problems: Problem[]): Source {
  const bom = text.startsWith(BOM);
  let body = bom ? text.slice(BOM.length) : text;
  // One search tells that a file is plain text; only others are looked at more closely.
  const unusual = UNUSUAL.test(body);
  const crlf = unusual && body.includes('\r') && isCrlf(body);
  if (crlf) body = body.replaceAll('\r\n', '\n');
  if (unusual) checkBytes(path, body, problems);
  const lines: Bytes[] = body.split('\n');
  const closed = body.endsWith('\n');
  if (closed) lines.pop();
  return { path, lines, clean: lines, closed, bom, crlf };
}

/** NUL, carriage return, and bytes of UTF-8. */
const UNUSUAL = /[\x00\r\x80-\xff]/;

/** Every newline has its carriage return: then both are one line end. Otherwise a lone one is reported by checkBytes. */
function isCrlf(body: Bytes): boolean {
  return body.split('\r\n').length === body.split('\n').length && body.split('\r\n').length === body.split('\r').length;
}

/**
 * What systemd would cut at, or drop the line for: two readers must never see different lines (T32). One problem, since such a file is no text, and
 * nothing else in it can be judged.
 */
function checkBytes(path: Bytes, body: Bytes, problems: Problem[]): void {
  const nul = body.indexOf('\0');
  const bad = nonText(body);
  const cr = body.indexOf('\r');
  const text = { hint: 'save the file as UTF-8 text' };
  if (nul >= 0)
    problems.push(problem('nul', 'the file contains a NUL byte', { file: path, ...position(body, nul), ...text }));
  else if (bad >= 0)
    problems.push(problem('encoding', 'the text is not UTF-8', { file: path, ...position(body, bad), ...text }));
  else if (cr >= 0) {
    const place = { file: path, ...position(body, cr), hint: 'use one kind of line end' };
    problems.push(problem('carriage-return', 'carriage return inside a line', place));
  }
}

function position(body: Bytes, at: number): { line: number; column: number } {
  const line = body.slice(0, at).split('\n').length;
  return { line, column: at - body.lastIndexOf('\n', at - 1) };
}

/** No continuation, no blanks at the ends of lines or around an equal sign, no long line: most files. Decided for the whole text at once. */
function isOrdinary(text: Bytes): boolean {
  return (
    text.length < LONGEST_LINE &&
    !text.includes('\\\n') &&
    !text.includes(' \n') &&
    !text.includes('\n ') &&
    !text.includes(' =') &&
    !text.includes('= ') &&
    !text.includes('\t') &&
    !text.startsWith(' ') &&
    !/[ \\]$/.test(text)
  );
}

/** The loop of `read` without what an ordinary text has not. */
function readOrdinary({ source, sections, problems }: Document): void {
  const lines = source.lines;
  const count = lines.length;
  let section: Section | undefined;
  for (let i = 0; i < count; i++) {
    const line = lines[i] ?? '';
    if (line === '') continue;
    const first = line.charCodeAt(0);
    if (first === 35 || first === 59) continue;
    if (first === 91) {
      if (section !== undefined) section.end = i;
      section = header(source, i, line, problems);
      sections.push(section);
      continue;
    }
    const equal = line.indexOf('=');
    if (equal > 0 && section !== undefined) {
      section.entries.push({ key: line.slice(0, equal), value: line.slice(equal + 1), section, at: i });
    } else {
      problems.push(notAnAssignment(source, i, line, equal));
    }
  }
  if (section !== undefined) section.end = count;
}

/** One pass over the lines. Kept together, since it is the loop that every unit file of a boot goes through. */
function read(document: Document): void {
  const { source, sections, problems } = document;
  const lines = source.lines;
  let section: Section | undefined;
  const count = lines.length;
  for (let i = 0; i < count; i++) {
    let line = lines[i] ?? '';
    if (line === '') continue;
    let first = line.charCodeAt(0);
    let last = line.charCodeAt(line.length - 1);
    if (first <= 32 || last <= 32) {
      line = strip(line);
      tidy(source, i, line);
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

/** `clean` differs from `lines` only when some line has blanks at its ends: then it is a copy. */
function tidy(source: Source, at: number, line: Bytes): void {
  if (source.clean === source.lines) source.clean = [...source.lines];
  source.clean[at] = line;
}

/** ASCII blanks off at both ends. (String.trim would take 0xA0, which is half of a UTF-8 letter.) */
export function strip(text: Bytes): Bytes {
  let from = 0;
  let to = text.length;
  while (from < to && text.charCodeAt(from) <= 32) from++;
  while (to > from && text.charCodeAt(to - 1) <= 32) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

/** An odd number of backslashes at the end. */
function continues(line: Bytes): boolean {
  let at = line.length;
  while (at > 0 && line.charCodeAt(at - 1) === 92) at--;
  return (line.length - at) % 2 === 1;
}

/** A continuation in one line; `irregular` when systemd would read its lines differently as they stand. */
interface Joined {
  readonly value: Bytes;
  readonly end: number;
  readonly irregular: boolean;
}

function join(source: Source, start: number, first: Bytes): Joined {
  const { lines } = source;
  let value = withoutBackslash(first);
  let end = start + 1;
  let irregular = false;
  for (let i = start + 1; i < lines.length; i++) {
    const line = strip(lines[i] ?? '');
    if (line !== lines[i]) tidy(source, i, line);
    const code = line.charCodeAt(0);
    if (code === 35 || code === 59) continue;
    if (line === '') {
      if (endsAtEmptyLine(lines, i)) break;
      irregular = true;
      continue;
    }
    end = i + 1;
    if (!continues(line)) return { value: glue(value, line), end, irregular };
    value = glue(value, withoutBackslash(line));
  }
  return { value, end, irregular: true };
}

/** A backslash in front of a line end is a space for systemd; one is enough. */
function glue(before: Bytes, line: Bytes): Bytes {
  return before === '' || before.charCodeAt(before.length - 1) <= 32 ? before + line : `${before} ${line}`;
}

function withoutBackslash(line: Bytes): Bytes {
  return line.slice(0, -1);
}

const STARTS_ANEW = /^(\[|[A-Za-z][A-Za-z0-9-]*[ \t]*=)/;

function endsAtEmptyLine(lines: readonly Bytes[], at: number): boolean {
  for (let i = at + 1; i < lines.length; i++) {
    const line = strip(lines[i] ?? '');
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    return STARTS_ANEW.test(line);
  }
  return true;
}

/** Headers that need no look at their characters. */
const USUAL = new Set([
  '[Unit]',
  '[Service]',
  '[Install]',
  '[Container]',
  '[Volume]',
  '[Network]',
  '[Pod]',
  '[Kube]',
  '[Image]',
  '[Build]',
]);

function header(source: Source, at: number, line: Bytes, problems: Problem[]): Section {
  if (USUAL.has(line)) {
    return { name: line.slice(1, -1), source, at, end: at + 1, entries: [], ends: undefined, changed: undefined };
  }
  const close = line.indexOf(']');
  const name = line.slice(1, close < 0 ? line.length : close);
  if (close !== line.length - 1 || name === '' || name.includes('[') || hasControl(name)) {
    const place = { file: source.path, line: at + 1, column: 1, hint: 'write `[Name]` alone on its line' };
    problems.push(problem('section', `\`${line}\` is not a section header`, place));
  }
  return { name, source, at, end: at + 1, entries: [], ends: undefined, changed: undefined };
}

function hasControl(text: Bytes): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 32) return true;
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
