import type { Bytes } from '../host/host.ts';
import { OPS } from './ops.ts';
import type { Op, OpName } from './ops.ts';

/** Bytes of an encoded list: see the head of ops.ts. Throws RangeError for a list that the stage would refuse by its size. */
export function encodeOps(ops: readonly Op[]): Bytes {
  const parts: string[] = [MAGIC];
  let total = MAGIC.length;
  for (const op of ops) {
    const record = encodeRecord(op);
    total += record.length + 4;
    if (record.length > MAX_RECORD) throw new RangeError(`operation ${op.name} is longer than 1 MiB`);
    if (total > MAX_LIST) throw new RangeError('the list of operations is longer than 16 MiB');
    parts.push(u32(record.length), record);
  }
  return parts.join('');
}

/** One operation of the table; numbers are written in decimal. */
export function op(name: OpName, ...fields: readonly (Bytes | number)[]): Op {
  return { name, fields: fields.map(String) };
}

/** Number of fields that an operation takes at least, and at most. */
export function arity(name: OpName): { least: number; most: number } {
  const row = ROWS.get(name);
  if (row === undefined) throw new RangeError(`no operation is called ${name}`);
  return row;
}

const MAGIC = 'BERTHOPS1\n';
const MAX_RECORD = 1 << 20;
const MAX_LIST = 16 << 20;

const ROWS = new Map<string, { least: number; most: number }>(
  OPS.map(row => {
    const rest = 'rest' in row;
    return [row.name, { least: row.fields.length - (rest ? 1 : 0), most: rest ? 65536 : row.fields.length }];
  }),
);

function encodeRecord(one: Op): Bytes {
  const { least, most } = arity(one.name);
  if (one.fields.length < least || one.fields.length > most) {
    throw new RangeError(`operation ${one.name} has ${String(one.fields.length)} fields`);
  }
  for (const field of one.fields) {
    if (field.includes('\0')) throw new RangeError(`a field of operation ${one.name} contains NUL`);
  }
  return one.fields.length === 0 ? `${one.name}\0` : `${one.name}\0${one.fields.join('\0')}\0`;
}

function u32(value: number): Bytes {
  return String.fromCharCode(value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >>> 24) & 255);
}
