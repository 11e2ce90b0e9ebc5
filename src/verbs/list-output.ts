import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { printable } from './command-line.ts';
import { fillTemplate, renderTable } from './format.ts';

export interface Listing<T> {
  readonly rows: readonly T[];
  /** What `--quiet` prints. */
  readonly key: (row: T) => string;
  readonly cells: (row: T) => Record<string, string>;
  readonly json: (row: T) => unknown;
  readonly headings: Readonly<Record<string, string>>;
  /** Columns of the table: `table {{.A}}\t{{.B}}`. */
  readonly table: string;
}

/** The output of a `ls`: --quiet, --format json, a template, or a table. What comes from outside is made printable (T28). */
export function writeListing<T>(host: Host, command: Command, listing: Listing<T>): void {
  const format = lastValue(command, 'format') ?? '';
  if (isSet(command, 'quiet')) {
    host.write(1, listing.rows.map(row => `${listing.key(row)}\n`).join(''));
  } else if (format === 'json') {
    host.write(1, `${JSON.stringify(listing.rows.map(listing.json), undefined, 4)}\n`);
  } else {
    const cells = listing.rows.map(row => printableCells(listing.cells(row)));
    const shown = format === '' || format === 'table' ? listing.table : format;
    const text = shown.startsWith('table ')
      ? renderTable(shown.slice(6), listing.headings, cells, !isSet(command, 'noheading'))
      : cells.map(row => `${fillTemplate(shown, row)}\n`).join('');
    host.write(1, text);
  }
}

function printableCells(cells: Record<string, string>): Record<string, string> {
  for (const key of Object.keys(cells)) cells[key] = printable(cells[key] ?? '');
  return cells;
}
