import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boolean, scalar, splitArguments, splitWords, unsigned } from '../../../src/unit/values.ts';
import { execLine, quoteWord } from '../../../src/unit/write.ts';
import { randomNumbers, randomText } from '../random.ts';

test('scalar takes one pair of double quotes off', () => {
  for (const [value, expected] of [
    ['"a b"', 'a b'],
    ["'q'", "'q'"],
    ['"a" "b"', 'a" "b'],
    ['"', '"'],
    ['""', ''],
  ] as const) {
    assert.equal(scalar(value), expected);
  }
});

test('booleans are those of systemd, and empty', () => {
  for (const word of ['1', 'yes', 'TRUE', 'on', 'y', 't']) assert.equal(boolean(word), true, word);
  for (const word of ['0', 'no', 'False', 'off', 'n', 'f', '']) assert.equal(boolean(word), false, word);
  for (const word of ['maybe', '2', 'yess', ' yes']) assert.equal(boolean(word), undefined, word);
});

const WORDS: readonly (readonly [value: string, words: readonly string[], args?: readonly string[]])[] = [
  ['a b\tc', ['a', 'b', 'c']],
  ['', []],
  ['   ', []],
  ['"a b" c', ['a b', 'c']],
  ['a"b c"d', ['ab cd']],
  ['\'a b\'"c d"', ['a bc d']],
  ['"" x', ['', 'x']],
  ['x ""', ['x', '']],
  ['a""b', ['ab']],
  ['""""', ['']],
  ['a\\tb', ['a\\tb'], ['a\tb']],
  ['"\\x41\\102\\u00e4"', ['\\x41\\102\\u00e4'], ['AB\xc3\xa4']],
  ['a\\sb', ['a\\sb'], ['a b']],
  ["it\\'s", ["it\\'s"], ["it's"]],
  ['sh -c \'echo "x y"\'', ['sh', '-c', 'echo "x y"']],
];

for (const [value, words, args = words] of WORDS) {
  if (!value.includes("\\'")) {
    test(`words of ${JSON.stringify(value)}`, () => assert.deepEqual(splitWords(value), { words }));
  }
  test(`arguments of ${JSON.stringify(value)}`, () => assert.deepEqual(splitArguments(value), { words: args }));
}

test('an unbalanced quote and an unknown escape are faults with the part that is meant', () => {
  assert.equal(splitWords('a "b c').fault?.part, '"b c');
  assert.equal(splitArguments("x 'y").fault?.part, "'y");
  assert.equal(splitArguments('C:\\path').fault?.part, '\\p');
  assert.match(splitArguments('\\q').fault?.message ?? '', /unsupported escape char/);
  for (const bad of ['\\x4', '\\xzz', '\\000', '\\777', '\\ud800', '\\U00110000', '\\u12', '\\']) {
    assert.ok(splitArguments(bad).fault !== undefined, bad);
  }
});

test('numbers are those of strtoul, and nothing else', () => {
  for (const [text, number] of [
    ['0', 0],
    ['10', 10],
    ['0x1f', 31],
    ['010', 8],
    ['4294967295', 4294967295],
  ] as const) {
    assert.equal(unsigned(text), number);
  }
  for (const text of ['', '-1', 'nobody', '4294967296', '1e3', '09', '1 '])
    assert.equal(unsigned(text), undefined, text);
});

test('what is quoted for a unit is read back as the same words', () => {
  const next = randomNumbers(2);
  const alphabet = 'ab \t\n\r"\'\\;%$-=[]#\x01\x7f\xc3\xa4';
  for (let i = 0; i < 3000; i++) {
    const words = Array.from({ length: 1 + next(5) }, () => randomText(next, alphabet, 12));
    const line = execLine(words);
    assert.ok(!/[\n\r\0]/.test(line), 'one line');
    assert.deepEqual(splitArguments(line), { words }, line);
    assert.ok(!/(^| );( |$)/.test(line), 'no bare semicolon, which would start another command');
    assert.equal(line, words.map(quoteWord).join(' '));
  }
});
