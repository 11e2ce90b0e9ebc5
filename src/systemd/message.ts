import type { Bytes } from '../host/host.ts';
import { readU32, unmarshal } from './marshal.ts';

export interface Message {
  /** 1 call, 2 return, 3 error, 4 signal. */
  readonly type: number;
  readonly replySerial: number;
  readonly path: string;
  readonly member: string;
  readonly errorName: string;
  readonly values: readonly unknown[];
}

/** A whole message, little endian, whose header with its padding is so long. Throws RangeError when it is none. */
export function decode(data: Bytes, headLength: number): Message {
  const fields = headerFields(data);
  const word = (code: number): string => {
    const value = fields[code];
    return typeof value === 'string' ? value : '';
  };
  return {
    type: data.charCodeAt(1),
    replySerial: Number(fields[5] ?? 0),
    path: word(1),
    member: word(3),
    errorName: word(4),
    get values() {
      return unmarshal(word(8), data.slice(headLength)).values;
    },
  };
}

/**
 * The header's fields by their codes (D-Bus Specification, "Header Fields"): each is a byte and a variant of one basic type. systemd tells of every
 * property that changes, so this is read a dozen times in a start; a body only when somebody wants it.
 */
function headerFields(data: Bytes): readonly (string | number | undefined)[] {
  const fields = Array<string | number | undefined>(KNOWN_FIELDS);
  const end = 16 + readU32(data, 12);
  for (let at = 16; at < end; at = (at + 7) & ~7) {
    const code = data.charCodeAt(at);
    const type = data.charAt(at + 2);
    at += 4;
    let value: string | number;
    if (type === 'g') {
      const length = data.charCodeAt(at);
      value = data.slice(at + 1, at + 1 + length);
      at += length + 2;
    } else {
      value = readU32(data, at);
      at += 4;
      if (type === 's' || type === 'o') {
        const length = value;
        value = data.slice(at, at + length);
        at += length + 1;
      } else if (type !== 'u') throw new RangeError(`a field of the header has the type ${type}`);
    }
    if (code < KNOWN_FIELDS) fields[code] = value;
  }
  return fields;
}

const KNOWN_FIELDS = 10;
