import type { Bytes } from '../host/host.ts';
import { linesOf, type Source } from './document.ts';
import { strip } from './strip.ts';

/** An odd number of backslashes at the end. */
export function continues(line: Bytes): boolean {
  let at = line.length;
  while (at > 0 && line.charCodeAt(at - 1) === 92) at--;
  return (line.length - at) % 2 === 1;
}

/** A continuation in one line; `irregular` when systemd would read its lines differently as they stand. */
export interface Joined {
  readonly value: Bytes;
  readonly end: number;
  readonly irregular: boolean;
}

/** Puts the lines of a continuation together. */
export function join(source: Source, start: number, first: Bytes): Joined {
  const lines = linesOf(source);
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

/** `clean` is there only when some line has blanks at its ends: then it is a copy of `lines`. */
export function tidy(source: Source, at: number, line: Bytes): void {
  source.clean ??= [...linesOf(source)];
  source.clean[at] = line;
}
