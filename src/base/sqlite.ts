/**
 * Reads all rows of one table out of a SQLite 3 database (https://www.sqlite.org/fileformat2.html), byte strings in and out. Only what
 * another program's small databases need: UTF-8, tables with row ids, no write-ahead log.
 */
export type SqliteValue = string | number | null;

/** Rows in the order of their ids; undefined when there is no such table. Throws SqliteError for what cannot be read. */
export function readTable(bytes: string, table: string): SqliteValue[][] | undefined {
  if (!bytes.startsWith('SQLite format 3\0')) throw new SqliteError('is no SQLite database');
  const size = u16(bytes, 16) === 1 ? 65_536 : u16(bytes, 16);
  const usable = size - u8(bytes, 20);
  if (size < 512 || usable < 480) throw new SqliteError('has a page size that cannot be');
  if (u32(bytes, 56) > 1) throw new SqliteError('is not in UTF-8');
  const file = { bytes, size, usable };
  const schema = [...rowsOf(file, 1)].find(
    ([kind, name]) => kind === 'table' && typeof name === 'string' && name.toLowerCase() === table.toLowerCase(),
  );
  const root = schema?.[3];
  return typeof root === 'number' ? [...rowsOf(file, root)] : undefined;
}

export class SqliteError extends Error {}

interface Pages {
  readonly bytes: string;
  readonly size: number;
  /** Bytes of a page that hold content. */
  readonly usable: number;
}

const INTERIOR = 5;
const LEAF = 13;

/** Walks the tree below a page; a page that is met twice ends a damaged file's loop. */
function* rowsOf(file: Pages, root: number, seen = new Set<number>()): Generator<SqliteValue[]> {
  if (seen.has(root)) throw new SqliteError('is damaged: a page belongs to itself');
  seen.add(root);
  const start = (root - 1) * file.size;
  const header = start + (root === 1 ? 100 : 0);
  const kind = u8(file.bytes, header);
  if (kind !== INTERIOR && kind !== LEAF) throw new SqliteError(`is damaged: page ${root} is not of a table`);
  const count = u16(file.bytes, header + 3);
  for (let index = 0; index < count; index++) {
    const cell = start + u16(file.bytes, header + (kind === LEAF ? 8 : 12) + 2 * index);
    if (kind === LEAF) yield record(payloadOf(file, cell));
    else yield* rowsOf(file, u32(file.bytes, cell), seen);
  }
  if (kind === INTERIOR) yield* rowsOf(file, u32(file.bytes, header + 8), seen);
}

/** What does not fit into the page goes on in others, each with the number of the next in front. */
function payloadOf(file: Pages, cell: number): string {
  const { bytes, size, usable } = file;
  const length = varint(bytes, cell);
  const id = varint(bytes, length.next);
  const total = length.value;
  const most = usable - 35;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((total - least) % (usable - 4));
  const local = total <= most ? total : fitting <= most ? fitting : least;
  let payload = bytes.slice(id.next, id.next + local);
  let page = payload.length < total ? u32(bytes, id.next + local) : 0;
  while (page !== 0 && payload.length < total) {
    const start = (page - 1) * size;
    payload += bytes.slice(start + 4, start + Math.min(usable, 4 + total - payload.length));
    page = u32(bytes, start);
  }
  if (payload.length !== total) throw new SqliteError('is damaged: a row is cut off');
  return payload;
}

function record(payload: string): SqliteValue[] {
  const header = varint(payload, 0);
  const values: SqliteValue[] = [];
  let at = header.next;
  let place = header.value;
  while (at < header.value) {
    const type = varint(payload, at);
    at = type.next;
    const length = type.value >= 12 ? Math.floor((type.value - 12) / 2) : (FIXED[type.value] ?? 0);
    values.push(value(payload, place, type.value, length));
    place += length;
  }
  if (place > payload.length) throw new SqliteError('is damaged: a value is cut off');
  return values;
}

/** Bytes of the types below 12. */
const FIXED = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function value(payload: string, place: number, type: number, length: number): SqliteValue {
  if (type >= 12) return payload.slice(place, place + length);
  if (type === 0) return null;
  if (type >= 8) return type - 8;
  let number = 0;
  for (let index = 0; index < length; index++) number = number * 256 + u8(payload, place + index);
  // A real number is of no use here, and a negative one is none of a page.
  return number;
}

function varint(bytes: string, at: number): { value: number; next: number } {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const byte = u8(bytes, at + index);
    value = index === 8 ? value * 256 + byte : value * 128 + (byte & 127);
    if (byte < 128 || index === 8) return { value, next: at + index + 1 };
  }
  throw new SqliteError('is damaged');
}

function u8(bytes: string, at: number): number {
  const code = bytes.charCodeAt(at);
  if (Number.isNaN(code)) throw new SqliteError('is damaged: it ends too early');
  return code;
}

function u16(bytes: string, at: number): number {
  return u8(bytes, at) * 256 + u8(bytes, at + 1);
}

function u32(bytes: string, at: number): number {
  return u16(bytes, at) * 65_536 + u16(bytes, at + 2);
}
