import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readInside } from '../../../src/verbs/processes.ts';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'berth-'));
  t.after(() => void rmSync(path, { recursive: true }));
  return path;
}

void test('of a file of any size no more than its beginning is read', t => {
  const path = directory(t);
  writeFileSync(join(path, 'passwd'), 'root:x:0:0::/root:/bin/sh\n');
  truncateSync(join(path, 'passwd'), 3 * 2 ** 30);
  const text = readInside(process.pid, path.slice(1), 'passwd');
  assert.equal(text.length, 2 ** 20);
  assert(text.startsWith('root:x:0:0:'));
});

void test('what is not there, and what a link leads to, is empty', t => {
  const path = directory(t).slice(1);
  assert.equal(readInside(process.pid, path, 'passwd'), '');
  assert.equal(readInside(process.pid, 'proc/self', 'exe'), '');
});
