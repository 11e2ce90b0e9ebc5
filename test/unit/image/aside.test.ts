import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { nodeHost } from '../../../src/host/node.ts';
import { putBack } from '../../../src/image/verify.ts';

test('a layer that was set aside goes back; a file in tmp/ holds none', () => {
  const store = mkdtempSync(`${tmpdir()}/berth-aside-`);
  try {
    mkdirSync(`${store}/layers`);
    mkdirSync(`${store}/tmp/8.1.abc/broken-sha256-aa`, { recursive: true });
    writeFileSync(`${store}/tmp/9.1.abc`, '');
    for (const name of ['8.1.abc', '9.1.abc']) putBack(nodeHost(), store, `${store}/tmp/${name}`);
    assert.ok(existsSync(`${store}/layers/sha256-aa`));
  } finally {
    rmSync(store, { recursive: true });
  }
});
