import { Failure } from '../run/failure.ts';

/**
 * Output templates: `{{.Field}}` and `{{json .}}`, with `\t` and `\n`, of a flat row. What the peer's template language has beyond that
 * is refused by name.
 */
export function fillTemplate(template: string, row: Readonly<Record<string, string>>): string {
  requireField(template);
  return unescape(template).replace(/\{\{(.*?)\}\}/g, (_whole, inner: string) => {
    const word = inner.trim();
    if (word === 'json .') return JSON.stringify(row);
    const value = word.startsWith('.') ? row[word.slice(1)] : undefined;
    if (value === undefined) {
      throw new Failure(125, `--format {{${inner}}}: not a field; there are ${Object.keys(row).join(', ')}`);
    }
    return value;
  });
}

/** A template that names no field, such as a misspelt `json`, would print the same line for everything, or for nothing at all. */
export function requireField(template: string): void {
  const rest = template.replace(/\{\{.*?\}\}/g, '');
  if (rest !== template && !rest.includes('{{')) return;
  throw new Failure(125, `--format ${template}: not a template; write json, or fields such as '{{.ID}}'`);
}

/** `--format FORMAT` for a list: a table with headings after the word `table`, otherwise one line for each row. Fields are checked also when there is no row. */
export function renderRows(
  format: string,
  headings: Readonly<Record<string, string>>,
  rows: readonly Readonly<Record<string, string>>[],
  withHeading: boolean,
): string {
  const isTable = format.startsWith('table ');
  const template = isTable ? format.slice(6) : format;
  fillTemplate(template, headings);
  if (isTable) return renderTable(template, headings, rows, withHeading);
  return rows.map(row => `${fillTemplate(template, row)}\n`).join('');
}

/** `table {{.A}}\t{{.B}}`: columns as wide as their widest cell, two blanks between. */
export function renderTable(
  template: string,
  headings: Readonly<Record<string, string>>,
  rows: readonly Readonly<Record<string, string>>[],
  withHeading: boolean,
): string {
  const lines = rows.map(row => fillTemplate(template, row).split('\t'));
  if (withHeading) lines.unshift(fillTemplate(template, headings).split('\t'));
  const widths: number[] = [];
  for (const line of lines) {
    for (const [index, cell] of line.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return lines
    .map(line =>
      line.map((cell, index) => (index === line.length - 1 ? cell : cell.padEnd((widths[index] ?? 0) + 2))).join(''),
    )
    .map(line => `${line.trimEnd()}\n`)
    .join('');
}

function unescape(text: string): string {
  return text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}
