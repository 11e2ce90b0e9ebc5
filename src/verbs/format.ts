import { Failure } from '../run/failure.ts';

/**
 * Output templates: `{{.Field}}` and `{{json .}}`, with `\t` and `\n`, of a flat row. What the peer's template language has beyond that
 * is refused by name.
 */
export function fillTemplate(template: string, row: Readonly<Record<string, string>>): string {
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
