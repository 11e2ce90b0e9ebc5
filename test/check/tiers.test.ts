import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

test('tally counts cases', () => {
  assert.equal(tally('ok 1 - a\nok 2 - b\nnot ok 3 - c\n1..3', 1), '2 1');
});

test('tally takes a skipped case for a failure', () => {
  assert.equal(tally('ok 1 - a # SKIP no network\nok 2 - b\n1..2', 0), '1 1');
});

test('tally takes a missing plan, a short run and a bad end for a failure', () => {
  assert.equal(tally('ok 1 - a', 0), '1 1');
  assert.equal(tally('ok 1 - a\n1..2', 0), '1 1');
  assert.equal(tally('ok 1 - a\n1..1', 124), '1 1');
  assert.equal(tally('', 0), '0 1');
});

test('a tier that passes is counted, and the last line adds up', t => {
  const { output, status } = runTier(t, 'echo "unit: 3 passed, 0 failed"');
  assert.equal(output.at(-1), '3 passed, 0 failed');
  assert.equal(status, 0);
});

test('a tier that ran nothing fails', t => {
  const { output, status } = runTier(t, 'echo "unit: 0 passed, 0 failed"');
  assert.equal(output.at(-1), '0 passed, 1 failed');
  assert.equal(status, 1);
});

test('a tier without its closing line fails', t => {
  const { output, status } = runTier(t, 'echo ok; exit 0');
  assert.deepEqual(output.slice(-1), ['0 passed, 1 failed']);
  assert.equal(status, 1);
});

test('a tier that says that all is well but ends badly fails', t => {
  const { output, status } = runTier(t, 'echo "unit: 3 passed, 0 failed"; exit 3');
  assert.equal(output.at(-1), '3 passed, 1 failed');
  assert.equal(status, 1);
});

test('a tier that does not exist is refused', () => {
  assert.equal(spawnSync('bash', ['test/run.sh', 'nonsense']).status, 2);
});

/** `PASSED FAILED` of one file's output. */
function tally(output: string, status: number): string {
  const script = '. test/machine/tally.sh; tally FILE "$1" "$2" >/dev/null; echo "$passed $failed"';
  return spawnSync('bash', ['-uc', script, 'bash', String(status), output], { encoding: 'utf8' }).stdout.trim();
}

/** test/run.sh in a directory of its own, with a tier `unit` that is this script. */
function runTier(t: { after(undo: () => void): void }, script: string): { output: string[]; status: number | null } {
  const top = mkdtempSync(join(tmpdir(), 'berth-tiers-'));
  t.after(() => rmSync(top, { recursive: true }));
  mkdirSync(join(top, 'test'));
  mkdirSync(join(top, 'node_modules'));
  cpSync('test/run.sh', join(top, 'test/run.sh'));
  cpSync('packaging/build/node-modules.sh', join(top, 'packaging/build/node-modules.sh'));
  writeFileSync(join(top, 'package.json'), '{}');
  writeFileSync(join(top, 'test/unit.sh'), script);
  const { stdout, status } = spawnSync('bash', [join(top, 'test/run.sh'), 'unit'], { encoding: 'utf8' });
  return { output: stdout.trim().split('\n'), status };
}
