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
  const crlf = unusual && body.includes('\r') && isCrlf(body);
  if (crlf) body = body.replaceAll('\r\n', '\n');
  if (unusual) checkBytes(path, body, problems);
  return { path, text: body, lines: undefined, clean: undefined, closed: body.endsWith('\n'), bom, crlf };
}

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
