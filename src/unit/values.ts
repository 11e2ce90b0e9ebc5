import { nativeText } from '../base/native-text.ts';
import { encodePoint } from '../base/utf8.ts';
import type { Bytes } from '../host/host.ts';

/** What is wrong with a value: text for a message behind the key's name, and the part of the value that is meant. */
export interface ValueFault {
  readonly message: string;
  readonly part: Bytes;
  readonly hint?: string;
}

/** A value that was read, with what was found wrong; `words` hold what could be read. */
export interface WordsRead {
  readonly words: Bytes[];
  readonly fault?: ValueFault;
}

/** One pair of double quotes around the whole value is taken off. */
export function scalar(value: Bytes): Bytes {
  if (value.length < 2 || value.charCodeAt(0) !== 34 || value.charCodeAt(value.length - 1) !== 34) return value;
  return value.slice(1, -1);
}

const TRUE = new Set(['1', 'yes', 'true', 'on', 'y', 't']);
const FALSE = new Set(['0', 'no', 'false', 'off', 'n', 'f', '']);

/** systemd's booleans, and empty as false; undefined for everything else. */
export function boolean(value: Bytes): boolean | undefined {
  const lower = value.toLowerCase();
  return TRUE.has(lower) ? true : FALSE.has(lower) ? false : undefined;
}

/** Booleans of Quadlet's own sections. The peer reads `y` and `t` as false, which systemd reads as true: neither is guessed here. */
export function plainBoolean(value: Bytes): boolean | undefined {
  return value.length === 1 && value !== '1' && value !== '0' ? undefined : boolean(value);
}

/** Cut at blanks; quotes group, also inside a word; a backslash is an ordinary character. */
export function splitWords(value: Bytes): WordsRead {
  const words = nativeText.textWords?.(value);
  return words === undefined ? splitInScript(value, false) : { words };
}

/** Cut at blanks; quotes group; C escapes are decoded everywhere. */
export function splitArguments(value: Bytes): WordsRead {
  const words = nativeText.textWords?.(value);
  return words === undefined ? splitInScript(value, true) : { words };
}

interface Cut {
  readonly value: Bytes;
  readonly words: Bytes[];
  at: number;
  fault: ValueFault | undefined;
}

/** The same without the native program; a test compares the two. */
export function splitInScript(value: Bytes, escapes: boolean): WordsRead {
  const cut: Cut = { value, words: [], at: 0, fault: undefined };
  while (cut.at < value.length) {
    if (value.charCodeAt(cut.at) <= 32) cut.at++;
    else cut.words.push(oneWord(cut, escapes));
  }
  return cut.fault === undefined ? { words: cut.words } : { words: cut.words, fault: cut.fault };
}

function oneWord(cut: Cut, escapes: boolean): Bytes {
  const { value } = cut;
  let word = '';
  let quote = 0;
  let opened = 0;
  for (; cut.at < value.length; cut.at++) {
    const c = value.charCodeAt(cut.at);
    if (escapes && c === 92) {
      word += escaped(cut);
    } else if (quote !== 0) {
      if (c === quote) quote = 0;
      else word += value.charAt(cut.at);
    } else if (c === 34 || c === 39) {
      quote = c;
      opened = cut.at;
    } else if (c <= 32) {
      break;
    } else {
      word += value.charAt(cut.at);
    }
  }
  if (quote !== 0) {
    const part = value.slice(opened, opened + 20);
    cut.fault ??= { message: 'has an unbalanced quote', part, hint: `close the quote that starts at \`${part}\`` };
  }
  return word;
}

/** Letters behind a backslash, and what they stand for (systemd.syntax(7), "Quoting"). */
const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
  s: ' ',
};

const DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Decodes at a backslash and leaves `at` on the last character of the escape. */
function escaped(cut: Cut): Bytes {
  const { value, at } = cut;
  const letter = value.charAt(at + 1);
  const simple = SIMPLE[letter];
  if (simple !== undefined) {
    cut.at = at + 1;
    return simple;
  }
  const length = DIGITS[letter];
  const [digits, base, skip] =
    length === undefined ? [value.slice(at + 1, at + 4), 8, 3] : [value.slice(at + 2, at + 2 + length), 16, length + 1];
  const point = numberOf(digits, base, length ?? 3);
  const bad =
    point === undefined ||
    point === 0 ||
    (base === 8 && point > 255) ||
    point > 0x10ffff ||
    (point >= 0xd800 && point < 0xe000);
  if (bad) {
    const part = value.slice(at, at + 2);
    cut.fault ??= {
      message: `has the unsupported escape char \`${part}\``,
      part,
      hint: 'write `\\\\` for a backslash',
    };
    return '\\';
  }
  cut.at = at + skip;
  return encodePoint(point);
}

function numberOf(digits: Bytes, base: number, length: number): number | undefined {
  if (digits.length !== length) return undefined;
  let number = 0;
  for (let i = 0; i < length; i++) {
    const digit = '0123456789abcdef'.indexOf(digits.charAt(i).toLowerCase());
    if (digit < 0 || digit >= base) return undefined;
    number = number * base + digit;
  }
  return number;
}

/** A number as strtoul reads it: `0x` hexadecimal, leading `0` octal, else decimal; undefined when unreadable or above 2^32 - 1. */
export function unsigned(value: Bytes): number | undefined {
  if (!/^(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i.test(value)) return undefined;
  const number = Number(/^0[0-7]+$/.test(value) ? `0o${value.slice(1)}` : value);
  return number <= 0xffffffff ? number : undefined;
}
