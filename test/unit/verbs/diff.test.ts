import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeOptions } from '../../../src/host/fake.ts';
import { HostError, type Host } from '../../../src/host/host.ts';
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

/** With descriptors: `/proc/self/fd/N` is the directory that was opened. */
function descriptorHost({ files = {}, calls = {} }: FakeOptions): Host {
  const host = fakeHost({ files });
  const opened: string[] = [];
  const real = (path: string): string => path.replace(/^\/proc\/self\/fd\/(\d+)/, (_, fd) => opened[Number(fd)] ?? '');
  const open = calls.open ?? ((): number => 0);
  return fakeHost({
    calls: {
      list: path => host.list(real(path)),
      lstat: path => host.lstat(real(path)),
      readFileInRoot: (root, path, limit) => (calls.readFileInRoot ?? host.readFileInRoot)(real(root), path, limit),
      close: fd => void opened.splice(fd, 1, ''),
      open: (path, flags) => {
        open(real(path), flags);
        return opened.push(real(path)) - 1;
      },
    },
  });
}

void test('a link that took the place of a directory is not followed', () => {
  const host = descriptorHost({
    files: { '/upper/d/name of the host': '', '/upper/e': '' },
    calls: {
      open: (path, flags) => {
        if (path !== '/upper/d') return 0;
        assert.equal(flags & 0o400000, 0o400000);
        throw new HostError('open', 'ELOOP', 40, 'too many levels of symbolic links', path);
      },
    },
  });
  assert.deepEqual(changesOf(host, '/upper', []), ['A /d\0', 'A /e\0']);
});

void test('a name is told as it is, also where it looks like a line', () => {
  const host = descriptorHost({
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
  const host = descriptorHost({
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
