import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OPS } from '../../../src/ops/ops.ts';

const LETTERS: Readonly<Record<string, string>> = {
  path: 'p',
  target: 'g',
  int: 'i',
  octal: 'o',
  hex: 'h',
  fd: 'd',
  text: 't',
  flags: 'f',
};

test('native/tiny/ops.h has the rows of src/ops/ops.ts, in the same order and with the same words', () => {
  const header = readFileSync('native/tiny/ops.h', 'utf8');
  const rows = [...header.matchAll(/^ {4}\/\* (.*) \*\/ \\\n {4}X\((\w+), "([\w-]+)", "(\w*)", ([01])\)/gm)].map(
    found => ({
      help: found[1],
      function: found[2],
      name: found[3],
      fields: found[4],
      rest: found[5] === '1',
    }),
  );
  const expected = OPS.map(row => ({
    help: row.help,
    function: row.name.replaceAll('-', '_'),
    name: row.name,
    fields: row.fields.map(kind => LETTERS[kind]).join(''),
    rest: 'rest' in row,
  }));
  assert.deepEqual(rows, expected);
});

test('no operation stands twice', () => {
  assert.equal(new Set(OPS.map(row => row.name)).size, OPS.length);
});
