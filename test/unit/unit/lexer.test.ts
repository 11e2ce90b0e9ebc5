import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entriesOf, originalText, placeOf, type Document } from '../../../src/unit/document.ts';
import { lex } from '../../../src/unit/lexer.ts';
import { randomNumbers, randomText } from '../random.ts';

function pairs(document: Document, section = 'A'): string[] {
  return entriesOf(document, section).map(entry => `${entry.key}=${entry.value}`);
}

const READ: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  ['blanks around key and value', '[A]\n  key \t=  v  \n', ['key=v']],
  ['the first equal sign counts', '[A]\nk=a=b\n', ['k=a=b']],
  ['comments and empty lines', '# c\n\n[A]\n; d\nk=1\n', ['k=1']],
  ['a continuation puts one blank', '[A]\nk=a\\\nb\n', ['k=a b']],
  ['a blank in front of the backslash is that one', '[A]\nk=a \\\n   b\n', ['k=a b']],
  ['blanks behind the backslash', '[A]\nk=a \\ \n  b\n', ['k=a b']],
  ['comments inside do not end it', '[A]\nk=a \\\n# no\n; no\nb\nl=2\n', ['k=a b', 'l=2']],
  ['an even number of backslashes does not continue', '[A]\nk=a\\\\\nl=b\n', ['k=a\\\\', 'l=b']],
  ['an empty line does not end it', '[A]\nk=a \\\n\n  b\n', ['k=a b']],
  ['an empty line in front of an assignment ends it', '[A]\nk=a \\\n\nl=b\n', ['k=a', 'l=b']],
  ['an empty line in front of a header ends it', '[A]\nk=a \\\n\n[B]\nl=b\n', ['k=a']],
  ['a comment at the end loses nothing', '[A]\nk=a \\\n# end\n', ['k=a']],
  ['a backslash in the last line', '[A]\nk=a\\', ['k=a']],
  ['CRLF and a continuation', '[A]\r\nk=a\\\r\nb\r\n', ['k=a b']],
  ['CRLF and blanks', '[A]\r\nk=a \r\n l=b\r\n', ['k=a', 'l=b']],
  ['CRLF', '[A]\r\nk=a\r\n', ['k=a']],
  ['one bare newline among CRLFs', '[A]\r\nk=a\nl=b\r\nm=c\r\r\nn=d\r', ['k=a', 'l=b', 'm=c', 'n=d']],
  ['a continuation over both kinds of line ends', '[A]\nk=a \\\r\nb\n', ['k=a b']],
  ['a comment in another encoding', '# f\xfcr\n[A]\n  ; \xff\nk=a \\\n#\xfc\nb\n', ['k=a b']],
  [
    'a no-break space at the ends of a line, as the peer has it',
    '\xc2\xa0[A]\xc2\xa0\nk=a \xc2\xa0 \nl=\xe3\x80\x80b\xe3\x80\x80\n',
    ['k=a', 'l=\xe3\x80\x80b'],
  ],
  ['byte order mark', '\xef\xbb\xbf[A]\nk=a\n', ['k=a']],
  ['a letter that ends in the byte A0 is kept', '[A]\nk=\xc3\xa0\n', ['k=\xc3\xa0']],
  ['control characters are no blanks', '[A]\nk=\x02 v\n', ['k=\x02 v']],
  ['sections of one name add up', '[A]\nk=1\n[B]\nx=1\n[A]\nk=2\n', ['k=1', 'k=2']],
  ['no final newline', '[A]\nk=1', ['k=1']],
];

for (const [name, text, expected] of READ) {
  test(`lexer: ${name}`, () => {
    const document = lex('f', text);
    assert.deepEqual(document.problems, []);
    assert.deepEqual(pairs(document), expected);
  });
}

const REFUSED: readonly (readonly [name: string, text: string, code: string, line: number, column: number])[] = [
  ['assignment before a section', 'k=1\n[A]\n', 'no-section', 1, 1],
  ['no assignment', '[A]\nhello\n', 'no-assignment', 2, 1],
  ['empty key', '[A]\n=v\n', 'no-assignment', 2, 1],
  ['header with text behind', '[A] b\n', 'section', 1, 1],
  ['empty header', '[]\n', 'section', 1, 1],
  ['header with a quote, with which systemd loads no unit', '[A"b]\n', 'section', 1, 1],
  ['header with a backslash', '[A\\b]\n', 'section', 1, 1],
  ['NUL', '[A]\nk=a\0[Service]\n', 'nul', 2, 4],
  ['lone carriage return', '[A]\nk=a\r[Service]\nl=1\n', 'carriage-return', 2, 4],
  ['no UTF-8', '[A]\nk=\xff\n', 'encoding', 2, 3],
  ['no UTF-8 below a comment that is none either', '# \xff\n[A]\nk=#\xff\n', 'encoding', 3, 4],
  ['a carriage return inside a comment, which systemd ends there', '# a\r[Service]\r\n[A]\n', 'carriage-return', 1, 4],
  ['a line of more than 1 MiB', `[A]\nk=${'x'.repeat(1048576)}\n`, 'long-line', 2, 1],
  ['a continuation of more than 1 MiB', `[A]\nk=${'x'.repeat(700000)} \\\n${'y'.repeat(700000)}\n`, 'long-line', 2, 1],
];

for (const [name, text, code, line, column] of REFUSED) {
  test(`lexer: ${name} is refused with its place`, () => {
    const [problem, ...more] = lex('f', text).problems;
    assert.deepEqual(more, []);
    assert.deepEqual([problem?.code, problem?.file, problem?.line, problem?.column], [code, 'f', line, column]);
  });
}

test('lexer: all problems of a file are reported', () => {
  assert.equal(lex('f', 'k=1\n[A\nx\n[A]\ny\n').problems.length, 4);
});

test('lexer: a word of a value is found on its own line', () => {
  const [entry] = entriesOf(lex('f', '[A]\nk=one \\\n  two\n'), 'A');
  assert.ok(entry !== undefined);
  assert.deepEqual(placeOf(entry, 'two'), { file: 'f', line: 3, column: 3 });
  assert.deepEqual(placeOf(entry), { file: 'f', line: 2, column: 3 });
});

test('lexer: a value that begins on a later line is found there', () => {
  const place = (text: string): string => {
    const [entry] = entriesOf(lex('f', `[A]\n${text}`), 'A');
    assert.ok(entry !== undefined);
    const { line, column } = placeOf(entry);
    return `${line}:${column}`;
  };
  assert.equal(place('k=\\\nmaybe\n'), '3:1');
  assert.equal(place('k= \\ \n# no\n\\\n  \\x20a \\\n b\n'), '5:3');
  assert.equal(place('k=\\\n\\\n'), '2:3');
  assert.equal(place('k=\\x20 \\\n b\n'), '2:3');
});

test('lexer: what was read is what is written, byte for byte', () => {
  const next = randomNumbers(1);
  for (let i = 0; i < 2000; i++) {
    const text = randomText(next, '[]=#; ab\\\\"\'\n\n\n\t%$\r', 60);
    assert.equal(originalText(lex('f', text).source), text);
  }
  for (let i = 0; i < 2000; i++) {
    const text = randomText(next, '[A]k=#\n\n\n\r\r\xc2\xa0 ', 30);
    assert.equal(originalText(lex('f', text).source), text);
  }
  for (const text of ['', '\r', 'a\n\r', 'a\r\r\nb\n', '\n', '\n\n', '\xef\xbb\xbf', '\xef\xbb\xbf[A]\r\n', 'a\r\nb']) {
    assert.equal(originalText(lex('f', text).source), text);
  }
});
