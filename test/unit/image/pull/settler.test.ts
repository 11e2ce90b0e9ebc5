import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { nodeHost } from '../../../../src/host/node.ts';
import { makeSettler, type Settler } from '../../../../src/image/pull/settler.ts';
import type { Digest } from '../../../../src/image/types.ts';

/** While a disk takes its time; the kernel's counters are in the file. */
async function whileItWrites(act: (settler: Settler, counters: string) => void): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/berth-settler-`);
  const [store, program, counters] = [`${directory}/store`, `${directory}/program`, `${directory}/vmstat`];
  mkdirSync(`${store}/layers`, { recursive: true });
  mkdirSync(`${store}/tmp/new`, { recursive: true });
  writeFileSync(program, `#!/bin/sh\nuntil [ -e ${directory}/done ]; do sleep 0.05; done\n`);
  chmodSync(program, 0o755);
  const before = process.env['BERTH_PROGRAM'];
  process.env['BERTH_PROGRAM'] = program;
  const settler = makeSettler(nodeHost(), store, counters);
  try {
    assert.equal(settler.isWriting(), false);
    const diffId = `sha256:${'a'.repeat(64)}` as Digest;
    await settler.add({ diffId, size: 1 }, `${store}/tmp/new`, undefined);
    const finished = settler.finish();
    await new Promise(resolve => setTimeout(resolve, 10));
    try {
      act(settler, counters);
    } finally {
      writeFileSync(`${directory}/done`, '');
      await finished;
    }
    assert.equal(settler.isWriting(), false);
    assert.ok(existsSync(`${store}/layers/${diffId.replace(':', '-')}`));
  } finally {
    if (before === undefined) delete process.env['BERTH_PROGRAM'];
    else process.env['BERTH_PROGRAM'] = before;
    rmSync(directory, { recursive: true });
  }
}

test('a disk is waited for as long as it takes something', async () => {
  await whileItWrites((settler, counters) => {
    const asked = [1, 1, 2, 2].map(count => {
      writeFileSync(counters, `nr_dirtied 9\nnr_written ${count}\n`);
      return settler.isWriting();
    });
    assert.deepEqual(asked, [true, false, true, false]);
  });
});

test('a disk is waited for where nobody may see what it takes', async () => {
  await whileItWrites(settler => {
    assert.deepEqual([settler.isWriting(), settler.isWriting()], [true, true]);
  });
});
