import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { renderRows, type Cells } from './format.ts';
import { byNode, type Fill } from './template.ts';

export interface Listing<T> {
  readonly rows: readonly T[];
  /** What `--quiet` prints. */
  readonly key: (row: T) => string;
  readonly cells: (row: T) => Cells;
  readonly json: (row: T) => unknown;
  readonly headings: Readonly<Record<string, string>>;
  /** Columns of the table: `table {{.A}}\t{{.B}}`. */
  readonly table: string;
}

/** The output of a `ls`: --quiet, --format json, a template, or a table. What comes from outside is made printable (T28). */
export function writeListing<T>(host: Host, command: Command, listing: Listing<T>, fill: Fill = byNode(host)): void {
  const format = lastValue(command, 'format') ?? '';
  if (isSet(command, 'quiet')) {
    host.write(1, listing.rows.map(row => `${listing.key(row)}\n`).join(''));
  } else if (format === 'json') {
    host.write(1, `${JSON.stringify(listing.rows.map(listing.json), undefined, 4)}\n`);
  } else {
    const cells = listing.rows.map(listing.cells);
    const shown = format === '' || format === 'table' ? listing.table : format;
    host.write(1, renderRows(shown, listing.headings, cells, !isSet(command, 'noheading'), fill));
  }
}
