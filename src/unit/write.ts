import type { Bytes } from '../host/host.ts';

/**
 * The one way of words into a generated unit (T32). What a key's value means to systemd stays as it is: `$` and `%` in it are expanded at
 * run time, as users of the peer rely on. What comes from elsewhere (file names, paths, messages) goes through `literal` first.
 */
export function execLine(words: readonly Bytes[]): Bytes {
  const joined = words.join(' ');
  // JSON quotes what we do, but for two characters, and tells by its length whether it did: faster than a search by pattern.
  const rare = JSON.stringify(joined).length !== joined.length + 2 || joined.includes("'") || joined.includes('\x7f');
  if (rare) return words.map(quoteWord).join(' ');
  let quoted: Bytes[] | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '' || word === ';' || word.includes(' ')) (quoted ??= [...words])[i] = `"${word}"`;
  }
  return quoted === undefined ? joined : quoted.join(' ');
}

/** Blanks, control characters, quotes, backslash, and DEL. */
const SPECIAL = /[\x00-\x20"'\\\x7f]/;

/** One word as systemd.syntax(7) quotes it. An empty word and a lone `;` are quoted too: systemd would drop the one and cut at the other. */
export function quoteWord(word: Bytes): Bytes {
  if (word === '' || word === ';') return `"${word}"`;
  if (!SPECIAL.test(word)) return word;
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
  return CONTROL.test(text) ? text.replace(CONTROLS, escapeOf) : text;
}

const CONTROL = /[\x00-\x1f\x7f]/;
const CONTROLS = /[\x00-\x1f\x7f]/g;

/** True when a path can be written as the value of a key at all. */
export function isWritable(path: Bytes): boolean {
  return !CONTROL.test(path);
}
