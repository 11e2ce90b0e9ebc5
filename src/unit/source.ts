import { KIND, kindsOf } from '../base/kinds.ts';
import { problem, type Problem } from '../base/problem.ts';
import { nonText } from '../base/utf8.ts';
import type { Bytes } from '../host/host.ts';
import { BOM, type Source } from './document.ts';

/** Cuts a text into lines. A text that two readers could cut differently is a problem, and is not read. */
export function splitSource(path: Bytes, text: Bytes, problems: Problem[]): Source {
  const bom = text.startsWith(BOM);
  let body = bom ? text.slice(BOM.length) : text;
  // One look tells that a file is plain text; only others are looked at more closely.
  const unusual = (kindsOf(body) & (KIND.control | KIND.high)) !== 0;
  let returns: number[] | undefined;
  if (unusual && body.includes('\r')) {
    const lines = body.split('\n');
    const plain = lines.map(withoutReturns);
    returns = lines.map((line, i) => line.length - (plain[i] ?? '').length);
    body = plain.join('\n');
  }
  if (unusual) checkBytes(path, body, problems);
  return { path, text: body, lines: undefined, clean: undefined, closed: body.endsWith('\n'), bom, returns };
}

/** Carriage returns in front of a newline are a part of the line end, in each line for itself. Others are reported by checkBytes. */
function withoutReturns(line: Bytes): Bytes {
  let end = line.length;
  while (end > 0 && line.charCodeAt(end - 1) === 13) end--;
  return line.slice(0, end);
}

/**
 * What systemd would cut at, or drop the line for: two readers must never see different lines (T32). One problem, since such a file is no text, and
 * nothing else in it can be judged.
 */
function checkBytes(path: Bytes, body: Bytes, problems: Problem[]): void {
  const nul = body.indexOf('\0');
  const bad = badText(body);
  const cr = body.indexOf('\r');
  const text = { hint: 'save the file as UTF-8 text' };
  if (nul >= 0)
    problems.push(problem('nul', 'the file contains a NUL byte', { file: path, ...position(body, nul), ...text }));
  else if (bad >= 0)
    problems.push(problem('encoding', 'the text is not UTF-8', { file: path, ...position(body, bad), ...text }));
  else if (cr >= 0) {
    const place = { file: path, ...position(body, cr), hint: 'end the line there, or take it out' };
    problems.push(problem('carriage-return', 'carriage return inside a line', place));
  }
}

/** Where a text is not UTF-8. In comments any encoding may stand: systemd and the peer do not look there. */
function badText(body: Bytes): number {
  if (nonText(body) < 0) return -1;
  return nonText(body.replace(COMMENT_LINE, line => ' '.repeat(line.length)));
}

const COMMENT_LINE = /^[ \t]*[#;].*$/gm;

function position(body: Bytes, at: number): { line: number; column: number } {
  const line = body.slice(0, at).split('\n').length;
  return { line, column: at - body.lastIndexOf('\n', at - 1) };
}
