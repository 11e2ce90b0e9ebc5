import type { Bytes } from '../host/host.ts';

/**
 * Blanks off at both ends: systemd's, and those of Unicode too, which nobody sees and the peer takes off. (String.trim would take 0xA0, which is half
 * of a UTF-8 letter.) Other control characters stay, as with systemd.
 */
export function strip(text: Bytes): Bytes {
  let from = 0;
  let to = text.length;
  for (let blank = 1; from < to && blank > 0; from += blank) blank = blankAt(text, from);
  for (let blank = 1; to > from && blank > 0; to -= blank) blank = blankBefore(text, to);
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

/** Length of the blank that begins there; 0: none does. */
function blankAt(text: Bytes, at: number): number {
  const c = text.charCodeAt(at);
  if (c < 128) return isBlank(c) ? 1 : 0;
  return WIDE.has(text.slice(at, at + 2)) ? 2 : WIDE.has(text.slice(at, at + 3)) ? 3 : 0;
}

/** Length of the blank that ends there. */
function blankBefore(text: Bytes, end: number): number {
  const c = text.charCodeAt(end - 1);
  if (c < 128) return isBlank(c) ? 1 : 0;
  return WIDE.has(text.slice(end - 2, end)) ? 2 : WIDE.has(text.slice(end - 3, end)) ? 3 : 0;
}

function isBlank(c: number): boolean {
  return c === 32 || c === 9 || c === 10 || c === 13;
}

/** U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000 as UTF-8. */
const WIDE = new Set(
  ['\xc2\x85', '\xc2\xa0', '\xe1\x9a\x80', '\xe2\x81\x9f', '\xe3\x80\x80'].concat(
    Array.from('\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\xa8\xa9\xaf', last => `\xe2\x80${last}`),
  ),
);
