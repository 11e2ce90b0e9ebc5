import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marshal, unmarshal } from '../../../src/systemd/marshal.ts';

const cases: [signature: string, values: unknown[]][] = [
  ['s', ['web.service']],
  ['su', ['a', 4294967295]],
  ['ybys', [1, true, 255, '']],
  ['t', [9007199254740991]],
  ['yt', [7, 25_000_000]],
  ['as', [['one', 'two', '']]],
  ['au', [[]]],
  [
    'a(sv)',
    [
      [
        ['Delegate', ['b', true]],
        ['PIDs', ['au', [1, 2]]],
        ['ExecStartEx', ['a(sasas)', [['/bin/x', ['/bin/x', 'y z'], ['no-env-expand']]]]],
      ],
    ],
  ],
  ['ssa(sv)a(sa(sv))', ['u', 'fail', [], []]],
  ['g', ['a{sv}']],
];

for (const [signature, values] of cases) {
  void test(`${signature} is read as it was written`, () => {
    const data = marshal(signature, values);
    assert.deepEqual(unmarshal(signature, data), { values, end: data.length });
  });
}

void test('the length of an array does not count the padding before its first element', () => {
  // D-Bus Specification, "Arrays": an array of 64-bit numbers that starts at offset 4.
  assert.equal(marshal('at', [[5]]), '\b\0\0\0' + '\0\0\0\0' + '\x05\0\0\0\0\0\0\0');
  assert.equal(marshal('at', [[]]), '\0\0\0\0' + '\0\0\0\0');
});

void test('a message that ends early is an error, not a value', () => {
  assert.throws(() => unmarshal('s', '\x05\0\0\0abc'), /ends early/);
  assert.throws(() => unmarshal('as', '\xff\xff\0\0abc'), /ends early/);
});
