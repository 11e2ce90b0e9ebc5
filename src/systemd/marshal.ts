import type { Bytes } from '../host/host.ts';

/**
 * D-Bus marshalling, little endian, for the few messages of the hot path (D-Bus Specification 0.43, "Message Protocol").
 * Values: s, o, g are byte strings; b booleans; y, u, i numbers; t, x numbers below 2^53; arrays are lists, structs are lists, a variant
 * is `[signature, value]`.
 */
export function marshal(signature: string, values: readonly unknown[]): Bytes {
  const out: Output = { text: '' };
  let at = 0;
  for (const value of values) {
    const end = typeEnd(signature, at);
    write(out, signature.slice(at, end), value);
    at = end;
  }
  return out.text;
}

/** Reads the values of a signature from `data`; throws RangeError when the message ends early. */
export function unmarshal(signature: string, data: Bytes, start = 0): { values: unknown[]; end: number } {
  const input: Input = { data, at: start };
  const values: unknown[] = [];
  for (let at = 0; at < signature.length;) {
    const end = typeEnd(signature, at);
    values.push(read(input, signature.slice(at, end)));
    at = end;
  }
  return { values, end: input.at };
}

interface Output {
  text: Bytes;
}

interface Input {
  readonly data: Bytes;
  at: number;
}

const ALIGNMENT: Readonly<Record<string, number>> = { y: 1, g: 1, v: 1, t: 8, x: 8, '(': 8, '{': 8 };

export const align = (type: string): number => ALIGNMENT[type.charAt(0)] ?? 4;

/** Where the single complete type that starts at `at` ends. */
export function typeEnd(signature: string, at: number): number {
  const first = signature.charAt(at);
  if (first === 'a') return typeEnd(signature, at + 1);
  if (first !== '(' && first !== '{') return at + 1;
  for (let inside = at + 1; inside < signature.length; inside = typeEnd(signature, inside)) {
    if (signature.charAt(inside) === ')' || signature.charAt(inside) === '}') return inside + 1;
  }
  throw new RangeError(`signature ${signature} is not closed`);
}

export const pad = (length: number, alignment: number): Bytes =>
  '\0'.repeat((alignment - (length % alignment)) % alignment);

export function u32(value: number): Bytes {
  return String.fromCharCode(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255);
}

function write(out: Output, type: string, value: unknown): void {
  out.text += pad(out.text.length, align(type));
  switch (type.charAt(0)) {
    case 'y':
      out.text += String.fromCharCode(Number(value) & 255);
      return;
    case 'b':
      out.text += u32(value === true ? 1 : 0);
      return;
    case 'u':
    case 'i':
      out.text += u32(Number(value));
      return;
    case 't':
    case 'x':
      out.text += u32(Number(value) % 0x1_0000_0000) + u32(Math.floor(Number(value) / 0x1_0000_0000));
      return;
    case 's':
    case 'o':
      out.text += `${u32(String(value).length)}${String(value)}\0`;
      return;
    case 'g':
      out.text += `${String.fromCharCode(String(value).length)}${String(value)}\0`;
      return;
    case 'v':
      writeVariant(out, value as readonly [string, unknown]);
      return;
    case 'a':
      writeArray(out, type.slice(1), value as readonly unknown[]);
      return;
    case '(':
      writeFields(out, type.slice(1, -1), value as readonly unknown[]);
      return;
    default:
      throw new RangeError(`type ${type} is not known`);
  }
}

function writeVariant(out: Output, [signature, value]: readonly [string, unknown]): void {
  write(out, 'g', signature);
  write(out, signature, value);
}

/** The length counts from the first element, not the padding before it. */
function writeArray(out: Output, element: string, values: readonly unknown[]): void {
  const head = out.text.length;
  const start = head + 4 + pad(head + 4, align(element)).length;
  const inner: Output = { text: out.text + '\0'.repeat(start - head) };
  for (const value of values) write(inner, element, value);
  out.text = out.text + u32(inner.text.length - start) + inner.text.slice(head + 4);
}

function writeFields(out: Output, signature: string, values: readonly unknown[]): void {
  let at = 0;
  for (const value of values) {
    const end = typeEnd(signature, at);
    write(out, signature.slice(at, end), value);
    at = end;
  }
}

function take(input: Input, count: number): Bytes {
  const part = input.data.slice(input.at, input.at + count);
  if (part.length < count) throw new RangeError('the message ends early');
  input.at += count;
  return part;
}

export function readU32(data: Bytes, at: number): number {
  return (
    (data.charCodeAt(at) |
      (data.charCodeAt(at + 1) << 8) |
      (data.charCodeAt(at + 2) << 16) |
      (data.charCodeAt(at + 3) << 24)) >>>
    0
  );
}

function read(input: Input, type: string): unknown {
  input.at += pad(input.at, align(type)).length;
  switch (type.charAt(0)) {
    case 'y':
      return take(input, 1).charCodeAt(0);
    case 'b':
      return readU32(take(input, 4), 0) === 1;
    case 'u':
    case 'i':
    case 'h':
      return readU32(take(input, 4), 0);
    case 't':
    case 'x': {
      const low = readU32(take(input, 4), 0);
      return readU32(take(input, 4), 0) * 0x1_0000_0000 + low;
    }
    case 's':
    case 'o':
      return take(input, readU32(take(input, 4), 0) + 1).slice(0, -1);
    case 'g':
      return take(input, take(input, 1).charCodeAt(0) + 1).slice(0, -1);
    case 'v': {
      const signature = String(read(input, 'g'));
      return [signature, read(input, signature)];
    }
    case 'a':
      return readArray(input, type.slice(1));
    case '(':
    case '{':
      return readFields(input, type.slice(1, -1));
    default:
      throw new RangeError(`type ${type} is not known`);
  }
}

function readArray(input: Input, element: string): unknown[] {
  const length = readU32(take(input, 4), 0);
  input.at += pad(input.at, align(element)).length;
  const end = input.at + length;
  if (end > input.data.length) throw new RangeError('the message ends early');
  const values: unknown[] = [];
  while (input.at < end) values.push(read(input, element));
  return values;
}

function readFields(input: Input, signature: string): unknown[] {
  const values: unknown[] = [];
  for (let at = 0; at < signature.length;) {
    const end = typeEnd(signature, at);
    values.push(read(input, signature.slice(at, end)));
    at = end;
  }
  return values;
}
