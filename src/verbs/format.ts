import { Failure } from '../run/failure.ts';
import { isPlain, requireField, shown, type Fill } from './template.ts';

/** What one line of a list has to show. */
export type Cells = Readonly<Record<string, unknown>>;

/** Output templates: `{{.Field}}`, `{{json .Field}}` and `{{json .}}`, with `\t` and `\n`, of a flat row. */
export function fillTemplate(template: string, row: Cells): string {
  requireField(template);
  return unescape(template).replace(/\{\{(.*?)\}\}/g, (_whole, inner: string) => {
    const words = inner.trim().split(/\s+/);
    const [field = ''] = words.slice(-1);
    const value = field === '.' && words.length > 1 ? row : field.startsWith('.') ? row[field.slice(1)] : undefined;
    if (value === undefined) {
      throw new Failure(125, `--format {{${inner}}}: not a field; there are ${Object.keys(row).join(', ')}`);
    }
    return words.length > 1 ? JSON.stringify(value) : shown(value);
  });
}

/** Each row in the template: fields are filled here, the rest of the language by `fill`, once for all rows. */
export function fillRows(template: string, rows: readonly Cells[], fill: Fill): string[] {
  if (isPlain(template)) return rows.map(row => fillTemplate(template, row));
  requireField(template);
  // No value has this sign: controls are shown as text.
  return fill(`{{range .}}${template}\x1e{{end}}`, rows).split('\x1e').slice(0, -1);
}

/** `--format FORMAT` for a list: a table with headings after the word `table`, otherwise one line for each row. Fields are checked also when there is no row. */
export function renderRows(
  format: string,
  headings: Cells,
  rows: readonly Cells[],
  withHeading: boolean,
  fill: Fill,
): string {
  const isTable = format.startsWith('table ');
  const template = isTable ? format.slice(6) : format;
  if (isTable) return renderTable(template, headings, rows, withHeading, fill);
  if (isPlain(template)) fillTemplate(template, headings);
  return fillRows(template, rows, fill)
    .map(line => `${line}\n`)
    .join('');
}

/** The peer's columns are no narrower, so that short tables stand still when a row comes. */
const NARROWEST = 12;

/** `table {{.A}}\t{{.B}}`: columns as wide as their widest cell, two blanks between. */
export function renderTable(
  template: string,
  headings: Cells,
  rows: readonly Cells[],
  withHeading: boolean,
  fill: Fill,
): string {
  const lines = fillRows(template, rows, fill).map(line => line.split('\t'));
  if (withHeading) lines.unshift(headingOf(template, headings).split('\t'));
  const widths: number[] = [];
  for (const line of lines) {
    for (const [index, cell] of line.entries()) widths[index] = Math.max(widths[index] ?? NARROWEST, cell.length + 2);
  }
  return lines
    .map(line =>
      line.map((cell, index) => (index === line.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join(''),
    )
    .map(line => `${line.trimEnd()}\n`)
    .join('');
}

/** Of a column that is more than a field: the heading of its first field. */
function headingOf(template: string, headings: Cells): string {
  if (isPlain(template)) return fillTemplate(template, headings);
  return unescape(template)
    .split('\t')
    .map(column => shown(headings[/\.(\w+)/.exec(column)?.[1] ?? ''] ?? ''))
    .join('\t');
}

function unescape(text: string): string {
  return text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}
