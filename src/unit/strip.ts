import type { Bytes } from '../host/host.ts';

/** systemd's blanks off at both ends. (String.trim would take 0xA0, which is half of a UTF-8 letter.) Other control characters stay, as with systemd. */
export function strip(text: Bytes): Bytes {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isBlank(c: number): boolean {
  return c === 32 || c === 9 || c === 10 || c === 13;
}
