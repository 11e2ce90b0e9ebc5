import type { Bytes } from '../host/host.ts';
import { splitArguments } from '../unit/values.ts';
import { CONTROL, pathFault, type Fault } from './refused-values.ts';

/**
 * What systemd would not take of a command line (systemd.service(5), "Command lines"). `known` is the text of a word as systemd expands it;
 * undefined: that is told at run time.
 */
export function commandFault(value: Bytes, known: (word: Bytes) => Bytes | undefined): Fault | undefined {
  if (value.length < 256 && USUAL.test(value)) return undefined;
  const { tokens, whole } = tokensOf(value);
  if (tokens.length === 0 && !whole) return { ...UNBALANCED, optional: true };
  let first = true;
  let optional = false;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? '';
    if (token === ';') first = true;
    else if (first) {
      first = false;
      const fault = programFault(token, tokens[i + 1], known);
      if (fault !== undefined) return fault;
      optional = /^[@:+!]*-/.test(decoded(token));
    }
  }
  return whole ? undefined : { ...UNBALANCED, optional };
}

/** An absolute path or a name, and words without anything of note. */
const USUAL = /^-?(\w[\w.-]*|(\/\w[\w.-]*)+)( [\w./=:,-]+)*$/;
const UNBALANCED = { what: 'has an unbalanced quote', hint: 'close the quote' };

/** The words as they stand there; `whole`: nothing is left behind them. */
function tokensOf(value: Bytes): { tokens: Bytes[]; whole: boolean } {
  const tokens: Bytes[] = [];
  const pattern = /[ \t\n\r]*((?:"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'|\\[^]|[^ \t\n\r"'\\])+|$|\\$)/y;
  let end = 0;
  for (;;) {
    const token = pattern.exec(value)?.[1];
    if (token === undefined) {
      // What stands in front of the quote is part of its word.
      if (!/[ \t\n\r]/.test(value.charAt(end))) tokens.pop();
      return { tokens, whole: false };
    }
    if (token === '') return { tokens, whole: true };
    tokens.push(token);
    end = pattern.lastIndex;
  }
}

function decoded(token: Bytes): Bytes {
  return splitArguments(token).words[0] ?? '';
}

function programFault(
  token: Bytes,
  next: Bytes | undefined,
  known: (word: Bytes) => Bytes | undefined,
): Fault | undefined {
  if (CONTROL.test(token)) return { what: 'has a control character', hint: 'take it out' };
  const word = decoded(token);
  const at = prefixLength(word);
  const prefix = word.slice(0, at);
  const path = word.slice(at);
  const fault = pathOfProgram(path, known) ?? (prefix.includes('@') ? argumentFault(next) : undefined);
  return fault === undefined ? undefined : { part: token, ...fault, ...(prefix.includes('-') && { optional: true }) };
}

/** Each of `- @ : +` may stand once, `!` twice, `!` and `+` not together. */
function prefixLength(word: Bytes): number {
  let at = 0;
  for (; at < word.length; at++) {
    const seen = word.slice(0, at);
    const c = word.charAt(at);
    if (!'-@:+!'.includes(c)) break;
    if (c === '!' ? seen.includes('+') || seen.split('!').length > 2 : seen.includes(c)) break;
    if (c === '+' && seen.includes('!')) break;
  }
  return at;
}

function argumentFault(next: Bytes | undefined): Fault | undefined {
  if (next !== undefined && next !== ';') return undefined;
  return {
    what: 'has `@`, but no name behind the program',
    hint: 'write the name that it is called by, or take `@` away',
  };
}

function pathOfProgram(path: Bytes, known: (word: Bytes) => Bytes | undefined): Fault | undefined {
  if (path === '') return { what: 'names no program', hint: 'write the path of one' };
  const text = known(path);
  if (text === undefined) return undefined;
  if (/[\x00-\x1f"'\\\x7f]/.test(text))
    return { what: 'has a program with a quote, backslash or control character', hint: 'write another path' };
  if (/(^|\/)\.{0,2}$/.test(text)) return { what: 'names a directory', hint: 'write the path of a program' };
  if (/^[-@:+!|]/.test(text) && text.includes('/'))
    return { what: `has the prefix \`${text.charAt(0)}\` where systemd knows none`, hint: 'take it away' };
  if (!text.includes('/'))
    return text.length > 255
      ? { what: 'names a program with more than 255 characters', hint: 'shorten it' }
      : undefined;
  if (!text.startsWith('/')) return { what: 'has a relative path', hint: 'write an absolute path' };
  return pathFault(text, true);
}
