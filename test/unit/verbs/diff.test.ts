import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { withoutOurs, type Change } from '../../../src/verbs/diff.ts';
import { changesOf } from '../../../src/verbs/tree-changes.ts';

const changes = (...lines: string[]): Change[] => lines.map(line => ({ kind: line[0] ?? '', path: line.slice(2) }));
const shown = (...lines: string[]): string[] =>
  withoutOurs(changes(...lines), new Set(['/etc/hosts', '/a/b/c'])).map(({ kind, path }) => `${kind} ${path}`);

void test('places for mounts are not shown, nor directories that only these changed', () => {
  assert.deepEqual(shown('C /etc', 'A /etc/hosts'), []);
  assert.deepEqual(shown('C /etc', 'A /etc/hosts', 'A /etc/mine'), ['C /etc', 'A /etc/mine']);
  assert.deepEqual(shown('A /a', 'A /a/b', 'A /a/b/c'), []);
  assert.deepEqual(shown('A /a', 'A /a/b', 'A /a/b/c', 'D /a/d'), ['A /a', 'D /a/d']);
  assert.deepEqual(shown('A /empty', 'D /etc'), ['A /empty', 'D /etc']);
});

void test('many changes take no time that grows with their square', () => {
  const many = ['A /n', ...Array.from({ length: 40_000 }, (_, number) => `A /n/${number}`)];
  const from = process.cpuUsage();
  assert.equal(shown(...many).length, many.length);
  assert(process.cpuUsage(from).user < 2_000_000);
});

void test('a name is told as it is, also where it looks like a line', () => {
  const host = fakeHost({
    files: {
      '/upper/x\nD /etc/passwd': '',
      '/upper/d/new': '',
      '/upper/d/old': '',
      '/lower/1/d/old': '',
      '/lower/1/d/kept': '',
    },
  });
  assert.deepEqual(changesOf(host, '/upper', ['/lower/1']), [
    'C /d\0',
    'A /d/new\0',
    'C /d/old\0',
    'A /x\nD \0',
    'A /x\nD /etc\0',
    'A /x\nD /etc/passwd\0',
  ]);
});

void test('a directory that took the place of another hides what that had', () => {
  const host = fakeHost({
    files: {
      '/upper/d/new': '',
      '/upper/d/sub/x': '',
      '/1/d/old': '',
      '/1/d/sub/gone': '',
      '/2/d/later': '',
      '/2/d/new': '',
    },
    calls: {
      readFileInRoot: (root: string, path: string) =>
        root === '/upper' && path.startsWith('d/') ? ('whiteout' as const) : ('absent' as const),
    },
  });
  assert.deepEqual(changesOf(host, '/upper', ['/1', '/2']), [
    'C /d\0',
    'C /d/new\0',
    'C /d/sub\0',
    'A /d/sub/x\0',
    'D /d/sub/gone\0',
    'D /d/later\0',
    'D /d/old\0',
  ]);
});
