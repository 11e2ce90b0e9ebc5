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

test('what failed is named at the end: tier, file, case and the last lines of why', t => {
  const { output } = runTier(
    t,
    `cat <<'END'
-- 100-one.sh
ok 1 - fine
not ok 2 - root: bad
# a
# b
# c
# got: 1
# wanted: 2
1..2
   (3 s, 1 of them the work of one processor)
-- 200-two.sh
not ok 1 - unsteady
   (3 s)
-- again, alone
-- 200-two.sh
ok 1 - unsteady
   (3 s)
not ok - no machine took: 300-three.sh
machine: 2 passed, 2 failed
END
exit 1`,
    'machine',
  );
  assert.deepEqual(output.slice(output.indexOf('what failed:')), [
    'what failed:',
    'machine: no machine took: 300-three.sh',
    'machine: 100-one.sh: root: bad',
    '    # b',
    '    # c',
    '    # got: 1',
    '    # wanted: 2',
    '2 passed, 2 failed',
  ]);
});

test('a tier that ran beside another has its output in its turn, and its failures at the end', t => {
  const { output, status } = runTier(t, 'echo "unit: 1 passed, 0 failed"', 'unit', {
    native: 'echo "-- ask"; echo "not ok 1 - asks"; echo "native: 0 passed, 1 failed"; exit 1',
  });
  assert.deepEqual(
    output.filter(line => !line.endsWith(' s)')),
    [
      '== unit',
      'unit: 1 passed, 0 failed',
      '== native',
      '-- ask',
      'not ok 1 - asks',
      'native: 0 passed, 1 failed',
      'what failed:',
      'native: ask: asks',
      '1 passed, 1 failed',
    ],
  );
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

/** test/run.sh in a directory of its own, with a tier that is this script, and with others. */
function runTier(
  t: { after(undo: () => void): void },
  script: string,
  tier = 'unit',
  others: Readonly<Record<string, string>> = {},
): { output: string[]; status: number | null } {
  const top = mkdtempSync(join(tmpdir(), 'berth-tiers-'));
  t.after(() => rmSync(top, { recursive: true }));
  mkdirSync(join(top, 'node_modules'));
  mkdirSync(join(top, 'packaging/build'), { recursive: true });
  cpSync('packaging/build/node-modules.sh', join(top, 'packaging/build/node-modules.sh'));
  writeFileSync(join(top, 'packaging/build/tree.sh'), '');
  writeFileSync(join(top, 'package.json'), '{}');
  const tiers = { [tier]: script, ...others };
  for (const [name, text] of Object.entries(tiers)) {
    mkdirSync(join(top, 'test', name), { recursive: true });
    writeFileSync(join(top, 'test', name === 'unit' ? 'unit.sh' : `${name}/run.sh`), text);
  }
  cpSync('test/run.sh', join(top, 'test/run.sh'));
  const { stdout, status } = spawnSync('bash', [join(top, 'test/run.sh'), ...Object.keys(tiers)], { encoding: 'utf8' });
  return { output: stdout.trim().split('\n'), status };
}
