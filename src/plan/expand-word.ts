/**
 * A word as Podman fills it in for --env-merge (the rules of a Dockerfile): quotes go, `\\` takes the next character as it is,
 * nothing is replaced within single quotes. undefined: not understood.
 */
export function expandWord(word: string, value: (name: string) => string): string | undefined {
  let out = '';
  let quoted = false;
  for (let at = 0; at < word.length; at++) {
    const c = word.charAt(at);
    if (c === '"') quoted = !quoted;
    else if (c === '\\') {
      const next = word.charAt(++at);
      // Within double quotes a backslash is itself before all that means nothing there.
      out += quoted && !'"$\\'.includes(next) ? `\\${next}` : next;
    } else if (c === "'" && !quoted) {
      const end = word.indexOf("'", at + 1);
      if (end < 0) return undefined;
      out += word.slice(at + 1, end);
      at = end;
    } else if (c === '$') {
      const found = substitute(word, at + 1, value);
      if (found === undefined) return undefined;
      out += found.text;
      at = found.end - 1;
    } else out += c;
  }
  return quoted ? undefined : out;
}

/** What stands behind a dollar sign, and where it ends. */
function substitute(
  word: string,
  at: number,
  value: (name: string) => string,
): { text: string; end: number } | undefined {
  const braced = word[at] === '{';
  const from = braced ? at + 1 : at;
  const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+)/.exec(word.slice(from))?.[0] ?? '';
  if (!braced) return name === '' ? { text: '$', end: at } : { text: value(name), end: at + name.length };
  const behind = from + name.length;
  if (name === '') return undefined;
  if (word[behind] === '}') return { text: value(name), end: behind + 1 };
  const mode = word.slice(behind, behind + 2);
  const end = closing(word, behind + 2);
  if ((mode !== ':-' && mode !== ':+') || end < 0) return undefined;
  if ((value(name) === '') !== (mode === ':-')) return { text: mode === ':-' ? value(name) : '', end: end + 1 };
  const text = expandWord(word.slice(behind + 2, end), value);
  return text === undefined ? undefined : { text, end: end + 1 };
}

/** The brace that closes; there may be others between. */
function closing(word: string, from: number): number {
  let depth = 1;
  for (let at = from; at < word.length; at++) {
    if (word[at] === '\\') at++;
    else if (word[at] === '{') depth++;
    else if (word[at] === '}' && --depth === 0) return at;
  }
  return -1;
}
