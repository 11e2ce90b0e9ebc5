import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { nodeHost } from '../../../../src/host/node.ts';
import { openPartial } from '../../../../src/image/pull/partial.ts';
import type { Digest } from '../../../../src/image/types.ts';

const LAYER = {
  digest: `sha256:${'a'.repeat(64)}` as Digest,
  diffId: `sha256:${'b'.repeat(64)}` as Digest,
  size: 8 << 20,
  mediaType: '',
};

test('what was kept is told of while it is read again, however slowly it is taken', async () => {
  const store = mkdtempSync(`${tmpdir()}/berth-partial-`);
  try {
    const before = openPartial(nodeHost(), store, LAYER);
    before?.keep(Buffer.alloc(5 << 20, 7));
    before?.close();
    const told: number[] = [];
    let taken = 0;
    const partial = openPartial(nodeHost(), store, LAYER);
    const sink = async (chunk: Uint8Array): Promise<void> => {
      await new Promise(resolve => setTimeout(resolve, 20));
      // No more than one piece ahead of what is taken.
      assert.ok((told.at(-1) ?? 0) <= taken + chunk.length);
      taken += chunk.length;
    };
    assert.equal(await partial?.replay(sink, bytes => told.push(bytes)), 5 << 20);
    assert.equal(taken, 5 << 20);
    assert.deepEqual(
      told,
      [1, 2, 3, 4, 5].map(mega => mega << 20),
    );
    partial?.close();
    // More than the layer has is of something else.
    writeFileSync(`${store}/partial/${readdirSync(`${store}/partial`)[0] ?? ''}`, Buffer.alloc((8 << 20) + 1));
    const wrong = openPartial(nodeHost(), store, LAYER);
    assert.equal(await wrong?.replay(sink, bytes => told.push(bytes)), 0);
    assert.deepEqual([told.length, readdirSync(`${store}/partial`)], [5, []]);
  } finally {
    rmSync(store, { recursive: true });
  }
});
