import { encodePoint, nonText } from './utf8.ts';

/**
 * Text for people and for interfaces that want Unicode, from byte strings (one character per byte) and back.
 */
export function decodeText(bytes: string): string {
  if (!HIGH.test(bytes)) return bytes;
  const bad = nonText(bytes);
  if (bad >= 0) return `${decodeText(bytes.slice(0, bad))}\ufffd${decodeText(bytes.slice(bad + 1))}`;
  return bytes.replace(SEQUENCE, decodeSequence);
}

/** UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. */
export function encodeText(text: string): string {
  if (!WIDE.test(text)) return text;
  let bytes = '';
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += encodePoint(point >= 0xd800 && point < 0xe000 ? 0xfffd : point);
  }
  return bytes;
}

const HIGH = /[\x80-\xff]/;
const WIDE = /[^\x00-\x7f]/;
const SEQUENCE = /[\xc2-\xf4][\x80-\xbf]+/g;

/** One or more UTF-8 sequences; the caller has checked them. */
function decodeSequence(bytes: string): string {
  let text = '';
  for (let i = 0; i < bytes.length;) {
    const first = bytes.charCodeAt(i);
    const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    let point = first & (0xff >> (length + 1));
    for (let k = 1; k < length; k++) point = (point << 6) | (bytes.charCodeAt(i + k) & 63);
    text += String.fromCodePoint(point);
    i += length;
  }
  return text;
}
