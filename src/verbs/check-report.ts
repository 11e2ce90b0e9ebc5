import type { Problem } from '../base/problem.ts';
import { decodeText } from '../base/text.ts';
import { version } from '../base/version.ts';
import { printable } from './command-line.ts';

type Lines = (file: string) => readonly string[];

/** For people: place, what is wrong, the line with a caret, and what to do. */
export function reportText(problems: readonly Problem[], lines: Lines): string {
  const out = problems.map(p => textOf(p, lines));
  const errors = problems.filter(p => p.severity === 'error').length;
  const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  return [...out, `${count(errors, 'error')}, ${count(problems.length - errors, 'warning')}\n`].join('\n');
}

function textOf(p: Problem, lines: Lines): string {
  const place = [p.file, p.line, p.column].filter(part => part !== undefined).join(':');
  const out = [printable(decodeText(`${place === '' ? '' : `${place}: `}${p.severity}: ${p.message}`))];
  // What is left of the line end of a file of CRLF is no part of the line.
  const line = p.file === undefined || p.line === undefined ? undefined : lines(p.file)[p.line - 1]?.replace(/\r$/, '');
  if (line !== undefined && p.line !== undefined) {
    const from = Math.max((p.column ?? 1) - 1, 0);
    // A long line is shown around the place.
    const start = from > 100 ? from - 60 : 0;
    const shown = (to: number): string => printable(decodeText(line.slice(start, to)).replaceAll('\t', ' '));
    const number = String(p.line).padStart(5);
    out.push(`${number} | ${shown(start + 140)}`, `      | ${' '.repeat(shown(from).length)}^`);
  }
  if (p.hint !== undefined) out.push(`      = ${printable(decodeText(p.hint))}`);
  return `${out.join('\n')}\n`;
}

/** An array of {file, line, column, key, severity, code, message, hint}; members that are not known are left out. */
export function reportJson(problems: readonly Problem[]): string {
  return `${JSON.stringify(problems.map(decoded), null, 2)}\n`;
}

function decoded(p: Problem): Problem {
  return Object.fromEntries(
    Object.entries(p).map(([key, value]) => [key, typeof value === 'string' ? decodeText(value) : value]),
  ) as unknown as Problem;
}

/** SARIF 2.1.0 (OASIS), what code forges show beside the lines of a change. */
export function reportSarif(problems: readonly Problem[], lines: Lines): string {
  const codes = [...new Set(problems.map(p => p.code))].sort();
  const driver = { name: 'berth check', version: version(), rules: codes.map(id => ({ id })) };
  const results = problems.map(p => ({
    ruleId: p.code,
    level: p.severity,
    message: { text: decodeText(p.hint === undefined ? p.message : `${p.message}; ${p.hint}`) },
    locations: p.file === undefined ? [] : [{ physicalLocation: location(p.file, p, lines) }],
  }));
  const schema = 'https://json.schemastore.org/sarif-2.1.0.json';
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', results };
  return `${JSON.stringify({ $schema: schema, version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

function location(file: string, { line, column }: Problem, lines: Lines): object {
  // Each part for itself: `#` and `?` are letters of a name here.
  const uri = `file://${decodeText(file).split('/').map(encodeURIComponent).join('/')}`;
  if (line === undefined) return { artifactLocation: { uri } };
  const startColumn = column === undefined ? undefined : unitsBefore(lines(file)[line - 1], column) + 1;
  const region = { startLine: line, ...(startColumn !== undefined && { startColumn }) };
  return { artifactLocation: { uri }, region };
}

/** Columns count bytes here and UTF-16 units there. */
function unitsBefore(line: string | undefined, column: number): number {
  return line === undefined ? column - 1 : decodeText(line.slice(0, column - 1)).length;
}
