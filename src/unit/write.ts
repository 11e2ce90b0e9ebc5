import { KIND, kindsOf } from '../base/kinds.ts';
import { nativeText } from '../base/native-text.ts';
import type { Bytes } from '../host/host.ts';

/**
 * The one way of words into a generated unit (T32). What a key's value means to systemd stays as it is: `$` and `%` in it are expanded at
 * run time, as users of the peer rely on. What comes from elsewhere (file names, paths, messages) goes through `literal` first.
 */
export function execLine(words: readonly Bytes[]): Bytes {
  return nativeText.textExecLine?.(words) ?? execLineInScript(words);
}

/** The same without the native program; a test compares the two. */
export function execLineInScript(words: readonly Bytes[]): Bytes {
  return words.map(quoteWord).join(' ');
}

/** What needs an escape, or quotes of its own. */
const RARE = KIND.control | KIND.newline | KIND.tab | KIND.quote | KIND.backslash;

/** One word as systemd.syntax(7) quotes it. An empty word and a lone `;` are quoted too: systemd would drop the one and cut at the other. */
export function quoteWord(word: Bytes): Bytes {
  if (word === '' || word === ';') return `"${word}"`;
  if ((kindsOf(word) & (RARE | KIND.space)) === 0) return word;
  return `"${word.replace(TO_ESCAPE, escapeOf)}"`;
}

const TO_ESCAPE = /[\x00-\x1f"\\\x7f]/g;
const NAMED: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' };

function escapeOf(c: string): string {
  return NAMED[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** Text that systemd is to take as it is in a value with specifiers: `%` doubled. */
export function noSpecifiers(text: Bytes): Bytes {
  return text.includes('%') ? text.replaceAll('%', '%%') : text;
}

/** Text that systemd is to take as it is in an Exec line: `%` and `$` doubled. */
export function literal(text: Bytes): Bytes {
  const plain = noSpecifiers(text);
  return plain.includes('$') ? plain.replaceAll('$', '$$$$') : plain;
}

/** A comment line of a generated file: control characters cannot end it. */
export function comment(text: Bytes): Bytes {
  return `# ${oneLine(text)}`;
}

/** Control characters as text, so that the rest of a line stays in its line. */
export function oneLine(text: Bytes): Bytes {
  return isWritable(text) ? text : text.replace(CONTROLS, escapeOf);
}

const CONTROLS = /[\x00-\x1f\x7f]/g;

/** True when a path can be written as the value of a key at all. */
export function isWritable(path: Bytes): boolean {
  return (kindsOf(path) & (KIND.control | KIND.newline | KIND.tab)) === 0;
}
