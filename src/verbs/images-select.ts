import type { Host } from '../host/host.ts';
import { additionalStores } from '../image/additional.ts';
import { ImageError } from '../image/error.ts';
import { listImages } from '../image/images.ts';
import { listNames } from '../image/names.ts';
import { findImage } from '../image/resolve.ts';
import type { ImageRecord } from '../image/types.ts';

/** A name and its image; without a name `<none>`. */
export interface ImageRow {
  readonly record: ImageRecord;
  readonly reference?: string;
  readonly repository: string;
  readonly tag: string;
  /** Seconds since the epoch; NaN when the image does not say. */
  readonly created: number;
  /** In an additional store. */
  readonly readOnly: boolean;
}

/** Of the own store, then what additional stores have under names and ids that it lacks. */
export function listRows(host: Host, store: string): ImageRow[] {
  const rows = rowsOf(host, store, false);
  for (const other of additionalStores(host)) {
    const known = new Set(rows.map(row => row.reference ?? row.record.id));
    rows.push(...rowsOf(host, other, true).filter(row => !known.has(row.reference ?? row.record.id)));
  }
  return rows;
}

function rowsOf(host: Host, store: string, readOnly: boolean): ImageRow[] {
  const names = listNames(host, store);
  return listImages(host, store).flatMap(record => {
    const created = Math.floor(Date.parse(record.created) / 1000);
    const own = names.filter(name => name.id === record.id);
    if (own.length === 0) return [{ record, created, readOnly, repository: '<none>', tag: '<none>' }];
    return own.map(({ reference }) => ({ record, created, readOnly, reference, ...split(reference) }));
  });
}

function split(reference: string): { repository: string; tag: string } {
  const at = reference.indexOf('@');
  if (at >= 0) return { repository: reference.slice(0, at), tag: '<none>' };
  const colon = reference.lastIndexOf(':');
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

export type RowFilter = (row: ImageRow) => boolean;

/** `NAME=VALUE` of --filter. Throws ImageError for what is not known. */
export function parseFilter(host: Host, store: string, text: string): RowFilter {
  const equal = text.indexOf('=');
  const name = text.slice(0, equal);
  const value = text.slice(equal + 1);
  const created = (): number => {
    const found = findImage(host, store, value);
    if (found === undefined) throw new ImageError(`--filter ${text}: no such image`);
    return Date.parse(found.record.created) / 1000;
  };
  switch (equal < 0 ? '' : name) {
    case 'dangling':
      return row => (row.reference === undefined) === (value === 'true');
    case 'reference':
      return row => row.reference !== undefined && matchesReference(row, value);
    case 'id':
      return row => row.record.id.startsWith(value.replace(/^sha256:/, ''));
    case 'label':
      return row => hasLabel(row.record, value);
    case 'before': {
      const limit = created();
      return row => row.created < limit;
    }
    case 'since':
    case 'after': {
      const limit = created();
      return row => row.created > limit;
    }
    default:
      throw new ImageError(`--filter ${text}: not one of dangling, reference, id, label, before, since`);
  }
}

function hasLabel(record: ImageRecord, wanted: string): boolean {
  const equal = wanted.indexOf('=');
  const value = record.config.labels[equal < 0 ? wanted : wanted.slice(0, equal)];
  return value !== undefined && (equal < 0 || value === wanted.slice(equal + 1));
}

/** With `*` and `?`; the registry and the tag may be left out. */
function matchesReference(row: ImageRow, pattern: string): boolean {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const shape = new RegExp(`^(?:.*/)?${text}$`);
  return shape.test(row.reference ?? '') || shape.test(row.repository);
}

const KEYS: Readonly<Record<string, (row: ImageRow) => string | number>> = {
  created: row => -(Number.isNaN(row.created) ? 0 : row.created),
  id: row => row.record.id,
  repository: row => row.repository,
  size: row => row.record.size,
  tag: row => row.tag,
};

export function sortRows(rows: readonly ImageRow[], field: string): ImageRow[] {
  const key = KEYS[field];
  if (key === undefined) throw new ImageError(`--sort ${field}: not one of ${Object.keys(KEYS).join(', ')}`);
  return [...rows].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
