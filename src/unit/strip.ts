import type { Bytes } from '../host/host.ts';

/** ASCII blanks off at both ends. (String.trim would take 0xA0, which is half of a UTF-8 letter.) */
export function strip(text: Bytes): Bytes {
  let from = 0;
  let to = text.length;
  while (from < to && text.charCodeAt(from) <= 32) from++;
  while (to > from && text.charCodeAt(to - 1) <= 32) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}
