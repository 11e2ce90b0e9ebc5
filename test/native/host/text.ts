import { hashInScript, hashOf } from '../../../src/base/hash.ts';
import { kindsInScript, kindsOf } from '../../../src/base/kinds.ts';
import { nativeText } from '../../../src/base/native-text.ts';
import type { Bytes } from '../../../src/host/host.ts';
import { linesOf, type Document } from '../../../src/unit/document.ts';
import { lex } from '../../../src/unit/lexer.ts';
import { documentOfCut } from '../../../src/unit/usual.ts';
import { splitArguments, splitInScript, splitWords } from '../../../src/unit/values.ts';
import { execLine, execLineInScript } from '../../../src/unit/write.ts';
import { check, equal, fails, type Tests } from './harness.ts';

const ALL_CHARACTERS = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i));

/** What C answers and what the scripts answer, which are all that Node has. */
export const TEXT: Tests = {
  'kinds of characters: C and script agree': () => {
    check(kindsOf !== kindsInScript, 'C is asked');
    for (const c of ALL_CHARACTERS) equal(kindsOf(`a${c}`), kindsInScript(`a${c}`), `character ${c.charCodeAt(0)}`);
    many(['a', ' ', '\t', '\n', '"', '%', '/', '\xe4', '\x7f'], text =>
      equal(kindsOf(text), kindsInScript(text), text),
    );
  },
  'the hash: C and script agree': () => {
    check(hashOf !== hashInScript, 'C is asked');
    many(['', 'a', '\x00', '\x7f', '\x80', '\xff', '\n', 'long'.repeat(30)], text =>
      equal(hashOf(text), hashInScript(text), text),
    );
  },
  'words: C and script agree': () => {
    check(nativeText.textWords !== undefined, 'C is asked');
    many(['a', 'b ', ' ', '\t', '"', "'", '\xc3\xa4', '\x00', '%n'], text => {
      equal(splitWords(text), splitInScript(text, false), text);
      equal(splitArguments(text), splitInScript(text, true), text);
    });
    equal(nativeText.textWords?.('a\\b'), undefined);
    equal(nativeText.textWords?.('"a'), undefined);
    equal(splitArguments('a\\x41 "b c"').words, ['aA', 'b c']);
  },
  'Exec lines: C and script agree': () => {
    many(['a', '', ' ', ';', 'b c', '$x', '%n', '\xc3\xa4', '"', '\\', '\n', 'long'.repeat(30)], (_text, words) => {
      equal(execLine(words), execLineInScript(words));
    });
    equal(execLine([]), '');
  },
  'unit files: C and script cut alike': ({ host, dir }) => {
    const path = `${dir}/x.container`;
    let usual = 0;
    const good = [
      '[Unit]',
      '[Container]',
      '[X-y]',
      '',
      '# comment',
      '; too',
      'Key=value',
      'K=',
      'A=b=c',
      'Exec=sh -c "a b"',
    ];
    const bad = ['[]', '[a', '[a]b]', ' ', '\t', '\\', '=', 'x', '\xe4', '\r', '\x00', '#\\', 'E==', 'E= a', 'E =a'];
    const compare = (text: Bytes): void => {
      host.writeFile(path, text, 0o600);
      const cut = host.readUnit(path);
      if (cut === undefined) return;
      usual++;
      equal(view(documentOfCut(path, cut)), view(lex(path, text)), JSON.stringify(text));
    };
    many(good, (_text, words) => compare(`[Service]\n${words.join('\n')}`));
    many([...good, ...good, ...bad], (_text, words) => compare(words.map(word => `${word}\n`).join('')));
    many([...good, ...bad, '\n', '\n'], compare);
    check(usual > 2000, `${usual} of the files are of the usual kind`);
  },
  'unit files that are left to the script': ({ host, dir }) => {
    for (const text of [
      '',
      'A=b\n',
      '[U]\nA = b\n',
      '[U]\nA=b \n',
      '[U]\n A=b\n',
      '[U]\nA=b\\\n',
      '[U]\nA\n',
      '[U]x\n',
      '[U]\nA=\t\n',
    ]) {
      host.writeFile(`${dir}/a`, text, 0o600);
      equal(host.readUnit(`${dir}/a`), undefined, JSON.stringify(text));
    }
    equal(host.readUnit('/proc/self/status'), undefined);
    host.writeFile(`${dir}/big`, `[U]\n${'A=b\n'.repeat(300_000)}`, 0o600);
    equal(host.readUnit(`${dir}/big`), undefined);
    fails('ENOENT', () => host.readUnit(`${dir}/none`));
    fails('EINVAL', () => host.readUnit('/etc\0/passwd'));
  },
};

/** All that is read from a document. */
function view({ source, sections, problems }: Document): unknown {
  const clean = linesOf(source);
  return {
    problems,
    closed: source.closed,
    lines: clean,
    sections: sections.map(({ name, at, end, from, to, entries }) => {
      let last = end;
      while (last > at + 1 && clean[last - 1] === '') last--;
      const body = clean.slice(at + 1, last).join('\n');
      if (from >= 0) equal(to > from ? source.text.slice(from, to) : '', body, 'body');
      return { name, at, end, body, entries: entries.map(({ key, value, at: line }) => ({ key, value, line })) };
    }),
  };
}

/** Random sequences of such parts, always the same ones; as one text and as words. */
function many(parts: readonly string[], look: (text: string, words: readonly string[]) => void): void {
  let state = 7;
  for (let i = 0; i < 2000; i++) {
    const words = Array.from({ length: i % 12 }, () => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return parts[Math.floor(state / 65536) % parts.length] ?? '';
    });
    look(words.join(''), words);
  }
}
