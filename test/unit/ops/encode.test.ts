import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arity, encodeOps, op } from '../../../src/ops/encode.ts';
import { printOps } from '../../../src/ops/print.ts';
import { escapeProgram } from '../../../src/ops/process.ts';

test('a list is a head and records with their length', () => {
  assert.equal(encodeOps([]), 'BERTHOPS1\n');
  assert.equal(encodeOps([op('pivot'), op('umask', '22')]), 'BERTHOPS1\n\x06\0\0\0pivot\0\x09\0\0\0umask\x0022\0');
  assert.equal(encodeOps([op('user', 1, 2, 3, 4)]), 'BERTHOPS1\n\x0d\0\0\0user\x001\x002\x003\x004\0');
  assert.equal(encodeOps([op('hostname', '')]), 'BERTHOPS1\n\x0a\0\0\0hostname\0\0');
});

test('a list that the stage would refuse is refused here', () => {
  assert.throws(() => encodeOps([op('umask')]), /umask has 0 fields/);
  assert.throws(() => encodeOps([op('umask', '1', '2')]), /umask has 2 fields/);
  assert.throws(() => encodeOps([op('hostname', 'a\0b')]), /hostname contains NUL/);
  assert.throws(() => encodeOps([op('hostname', 'x'.repeat(1 << 20))]), /longer than 1 MiB/);
  assert.throws(
    () => encodeOps(Array.from({ length: 17 }, () => op('hostname', 'x'.repeat((1 << 20) - 16)))),
    /longer than 16 MiB/,
  );
  assert.deepEqual(arity('user'), { least: 2, most: 65536 });
});

test('a program crosses with two bytes escaped', () => {
  assert.equal(escapeProgram('\x00\x01\x02ab\0\x01'), '\x01\x02\x01\x01\x02ab\x01\x02\x01\x01');
  let every = '';
  for (let byte = 0; byte < 256; byte++) every += String.fromCharCode(byte);
  const escaped = escapeProgram(every + every);
  assert.ok(!escaped.includes('\0'));
  assert.equal(
    escaped.replaceAll(/\x01([\x01\x02])/g, (_, next: string) => (next === '\x02' ? '\0' : '\x01')),
    every + every,
  );
});

test('a list for people', () => {
  const text = printOps([
    op('pivot'),
    op('symlink', "it's a\nlink", '/a b'),
    op('root-overlay', '', '', 'userxattr', '', '/l\xff'),
    op('seccomp', escapeProgram('\0'.repeat(7) + '\x01' + '\x06'.repeat(8)), 'log'),
    op('environment', 'A=1', 'B=\x1b[31m'),
  ]);
  assert.equal(
    text,
    [
      'pivot',
      "symlink 'it\\'s a\\nlink' '/a b'",
      "root-overlay '' '' userxattr '' '/l\\xff'",
      'seccomp (2 instructions) log',
      "environment A=1 'B=\\x1b[31m'",
      '',
    ].join('\n'),
  );
});
