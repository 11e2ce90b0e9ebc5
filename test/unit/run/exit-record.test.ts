import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { exitOfUnit, readExit, writeExit } from '../../../src/run/exit-record.ts';

function told(environment: Record<string, string>): unknown {
  const host = fakeHost({ environment, calls: { now: () => 100 } });
  return exitOfUnit(host);
}

test('what systemd tells of the main process becomes a status as podman-wait(1) has it', () => {
  const exited = { EXIT_CODE: 'exited', EXIT_STATUS: '3', SERVICE_RESULT: 'exit-code' };
  assert.deepEqual(told(exited), { status: 3, outOfMemory: false, finished: 100 });
  const killed = { EXIT_CODE: 'killed', EXIT_STATUS: 'KILL', SERVICE_RESULT: 'oom-kill' };
  assert.deepEqual(told(killed), { status: 137, signal: 9, outOfMemory: true, finished: 100 });
  const dumped = { EXIT_CODE: 'dumped', EXIT_STATUS: 'SEGV', SERVICE_RESULT: 'core-dump' };
  assert.deepEqual(told(dumped), { status: 139, signal: 11, outOfMemory: false, finished: 100 });
  // A start that ended before it had a main process.
  assert.deepEqual(told({ SERVICE_RESULT: 'timeout' }), { outOfMemory: false, finished: 100 });
});

test('a record is read as it was written, and its absence is no error', () => {
  const host = fakeHost({ files: { '/b/config.json': '{}' } });
  assert.equal(readExit(host, '/b'), undefined);
  writeExit(host, '/b', { status: 1, outOfMemory: false, finished: 5 });
  assert.deepEqual(readExit(host, '/b'), { status: 1, outOfMemory: false, finished: 5 });
});
