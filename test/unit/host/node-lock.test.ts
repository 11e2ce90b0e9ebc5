import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { lockFile } from '../../../src/host/node-lock.ts';

test('a lock whose file its holder has removed is not taken for one', async () => {
  const directory = mkdtempSync(`${tmpdir()}/lock-`);
  const path = `${directory}/name`;
  // Holds it, says so, and ends with the file some time after another waits.
  const holder = spawn('flock', ['-x', path, 'sh', '-c', 'echo held; sleep 0.3; rm "$0"', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  holder.on('error', assert.fail);
  await new Promise(resolve => holder.stdout.once('data', resolve));
  assert.equal(lockFile(path, true, false), undefined);
  const ended = new Promise(resolve => holder.once('exit', resolve));
  const lock = lockFile(path, true, true);
  assert.ok(existsSync(path), 'the lock that is held has its name');
  assert.equal(lockFile(path, false, false), undefined);
  lock?.release();
  await ended;
  assert.deepEqual(readdirSync(directory), ['name']);
  rmSync(directory, { recursive: true });
});
