import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { besideOfNode } from '../../../src/host/node-beside.ts';
import { HostError } from '../../../src/host/host.ts';
import { lockFile } from '../../../src/host/node-lock.ts';

const node = besideOfNode();

test('files written together have their names when all of them are written and what they wait for is there', async () => {
  const directory = mkdtempSync(`${tmpdir()}/beside-`);
  mkdirSync(`${directory}/other`);
  const files = [
    { path: `${directory}/one`, data: 'a\xff' },
    { path: `${directory}/other/two`, data: '' },
  ];
  const named = (): string[] => readdirSync(directory).filter(name => !name.startsWith('.'));
  let seen: string[] | undefined;
  const ready = new Promise<void>(resolve => {
    setTimeout(() => {
      seen = named();
      resolve();
    }, 50);
  });
  await node.writeFilesAtomic(files, ready);
  assert.deepEqual(seen, ['other']);
  assert.deepEqual(readFileSync(`${directory}/one`), Buffer.from([0x61, 0xff]));
  assert.equal(statSync(`${directory}/other/two`).mode & 0o777, 0o600);
  // Not all can be written, or what they wait for fails: none has come, and nothing is left.
  const bad = [...files.map(one => ({ ...one, data: 'new' })), { path: `${directory}/absent/three`, data: '' }];
  await assert.rejects(
    node.writeFilesAtomic(bad),
    (error: unknown) => error instanceof HostError && error.code === 'ENOENT',
  );
  await assert.rejects(node.writeFilesAtomic(bad.slice(0, 2), Promise.reject(new Error('no lock'))), /no lock/);
  assert.deepEqual(readdirSync(directory), ['one', 'other']);
  assert.deepEqual(readdirSync(`${directory}/other`), ['two']);
  assert.equal(readFileSync(`${directory}/one`, 'latin1'), 'a\xff');
  rmSync(directory, { recursive: true });
});

test('a lock that is waited for beside other work comes when its holder has let it go', async () => {
  const directory = mkdtempSync(`${tmpdir()}/beside-`);
  const path = `${directory}/name`;
  const held = lockFile(path, true, false);
  let had = false;
  const lock = node.awaitLock(path, false).then(mine => ((had = true), mine));
  await new Promise(resolve => setTimeout(resolve, 50));
  assert.equal(had, false);
  held?.release();
  const mine = await lock;
  assert.equal(lockFile(path, true, false), undefined);
  mine.release();
  lockFile(path, true, false)?.release();
  await assert.rejects(node.awaitLock(`${directory}/absent/name`, true), HostError);
  rmSync(directory, { recursive: true });
});
