import { IMAGES } from '../command/options-image.ts';
import { allValues, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { ImageError } from '../image/error.ts';
import { storeDirectory } from '../image/store.ts';
import { commandLine, printable } from './command-line.ts';
import { renderRows } from './format.ts';
import { fillGoTemplate } from './go-template-fill.ts';
import { imageTree } from './images-tree.ts';
import { listRows, parseFilter, sortRows, type ImageRow } from './images-select.ts';
import { agoOf } from './show.ts';

/** `berth images`: one line for each name of an image, as Podman lists them. */
export function main(host: Host): number {
  const command = commandLine(host, IMAGES);
  if (typeof command === 'number') return command;
  const store = storeDirectory(host);
  const filters = allValues(command, 'filter').map(text => parseFilter(host, store, text));
  const [operand] = command.operands;
  if (operand !== undefined) filters.push(parseFilter(host, store, `reference=${operand}`));
  const rows = sortRows(
    listRows(host, store).filter(row => filters.every(filter => filter(row))),
    lastValue(command, 'sort') ?? 'created',
  );
  host.write(1, isSet(command, 'tree') ? tree(host, command, store, rows) : output(host, command, rows));
  return 0;
}

function tree(host: Host, command: Command, store: string, rows: readonly ImageRow[]): string {
  if (isSet(command, 'quiet') || lastValue(command, 'format') !== undefined)
    throw new ImageError('--tree has a form of its own; leave --quiet and --format out');
  return imageTree(host, store, rows);
}

function output(host: Host, command: Command, rows: readonly ImageRow[]): string {
  const format = lastValue(command, 'format') ?? '';
  const full = isSet(command, 'no-trunc');
  const now = host.now();
  if (isSet(command, 'quiet')) return [...new Set(rows.map(row => `${shortId(row.record.id, full)}\n`))].join('');
  if (format === 'json') return `${JSON.stringify(toJson(rows), undefined, 4)}\n`;
  const cells = rows.map(row => cellsOf(row, full, now));
  const digests = isSet(command, 'digests') ? '{{.Digest}}\\t' : '';
  const readOnly = rows.some(row => row.readOnly) ? '\\t{{.ReadOnly}}' : '';
  const table = `table {{.Repository}}\\t{{.Tag}}\\t${digests}{{.ID}}\\t{{.Created}}\\t{{.Size}}${readOnly}`;
  const shown = format === '' || format === 'table' ? table : format;
  return renderRows(shown, HEADINGS, cells, !isSet(command, 'noheading'), fillGoTemplate);
}

const HEADINGS: Readonly<Record<string, string>> = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  Created: 'CREATED',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  ReadOnly: 'R/O',
};

/** Everything from an image is printed with its control characters shown (T28). */
function cellsOf(row: ImageRow, full: boolean, now: number): Record<string, string> {
  const since = Number.isNaN(row.created) ? 'N/A' : agoOf(now - row.created);
  return {
    Repository: row.repository,
    Tag: row.tag,
    Digest: row.record.manifest ?? '<none>',
    ID: shortId(row.record.id, full),
    Created: since,
    CreatedSince: since,
    CreatedAt: printable(row.record.created),
    Size: sizeText(row.record.size),
    ReadOnly: String(row.readOnly),
  };
}

function shortId(id: string, full: boolean): string {
  return full ? `sha256:${id}` : id.slice(0, 12);
}

/** Decimal units with three digits, as the peer prints them. */
export function sizeText(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 1000) return `${Number(value.toPrecision(3))} ${unit}`;
    value /= 1000;
  }
  return `${Number(value.toPrecision(3))} TB`;
}

function toJson(rows: readonly ImageRow[]): unknown[] {
  const byId = new Map<string, ImageRow[]>();
  for (const row of rows) byId.set(row.record.id, [...(byId.get(row.record.id) ?? []), row]);
  return [...byId.values()].map(list => {
    const [{ record, created }] = list as [ImageRow];
    const names = list.flatMap(row => (row.reference === undefined ? [] : [row.reference]));
    return {
      Id: record.id,
      RepoTags: names,
      Names: names,
      Digest: record.manifest ?? '',
      Created: Number.isNaN(created) ? 0 : created,
      CreatedAt: record.created,
      Size: record.size,
      VirtualSize: record.size,
      Labels: record.config.labels,
      Architecture: record.architecture,
      Os: record.os,
      Dangling: names.length === 0,
      ReadOnly: list.every(row => row.readOnly),
    };
  });
}
