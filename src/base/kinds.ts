import { nativeText } from './native-text.ts';

/** Kinds of characters that a byte string has, as bits. `other`: printable, but none of `A-Z a-z 0-9 _ . -` and of no other kind. */
export const KIND = {
  /** Below 0x20 but tab and newline; 0x7f. */
  control: 1,
  newline: 2,
  tab: 4,
  space: 8,
  quote: 16,
  backslash: 32,
  /** `%` and `$`, which systemd expands. */
  expanded: 64,
  high: 128,
  other: 256,
} as const;

/**
 * The kinds of characters in a text, put together. The native program has it in C (native/host-text.c), since every value of every unit file is looked at:
 * a pattern that finds nothing costs QuickJS a hundred times more.
 */
export const kindsOf: (text: string) => number = nativeText.textKinds ?? kindsInScript;

/** The same answer without the native program; a test compares the two. */
export function kindsInScript(text: string): number {
  let kinds = 0;
  for (const [pattern, kind] of PATTERNS) if (pattern.test(text)) kinds |= kind;
  return kinds;
}

const PATTERNS: readonly (readonly [RegExp, number])[] = [
  [/[\x00-\x08\x0b-\x1f\x7f]/, KIND.control],
  [/\n/, KIND.newline],
  [/\t/, KIND.tab],
  [/ /, KIND.space],
  [/["']/, KIND.quote],
  [/\\/, KIND.backslash],
  [/[%$]/, KIND.expanded],
  [/[\x80-\xff]/, KIND.high],
  [/[!#&()*+,/:;<=>?@[\]^`{|}~]/, KIND.other],
];
