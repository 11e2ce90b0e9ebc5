import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { Failure } from '../../../src/run/failure.ts';
import { writeIdMaps } from '../../../src/run/ids.ts';

const FULL = [
  [0, 1000, 1],
  [1, 100_000, 65_536],
] as const;

function withProc(uid: number, calls = {}): ReturnType<typeof fakeHost> {
  return fakeHost({
    uid,
    files: { '/proc/7/uid_map': '', '/proc/7/gid_map': '', '/proc/7/setgroups': 'allow' },
    calls,
  });
}

test('root writes the maps itself', () => {
  const host = withProc(0);
  writeIdMaps(host, 7, FULL, FULL);
  assert.equal(host.files.contents()['/proc/7/uid_map'], '0 1000 1\n1 100000 65536');
  assert.equal(host.files.contents()['/proc/7/setgroups'], 'allow');
});

test('an account maps its own id alone by itself, and gives up setgroups first', () => {
  const host = withProc(1000);
  writeIdMaps(host, 7, [[0, 1000, 1]], [[0, 1000, 1]]);
  assert.deepEqual(
    host.log.filter(line => line.startsWith('writeFile(')),
    ['writeFile(/proc/7/setgroups)', 'writeFile(/proc/7/uid_map)', 'writeFile(/proc/7/gid_map)'],
  );
});

test('an account asks both helpers, side by side, for a full map', () => {
  const argvs: string[] = [];
  const order: string[] = [];
  const host = withProc(1000, {
    spawn(request: { argv: string[] }) {
      argvs.push(request.argv.join(' '));
      order.push('start');
      return { pid: argvs.length, pidfd: argvs.length };
    },
    wait() {
      order.push('wait');
      return { status: 0 };
    },
    close: () => undefined,
  });
  writeIdMaps(host, 7, FULL, FULL);
  assert.deepEqual(argvs, ['newuidmap 7 0 1000 1 1 100000 65536', 'newgidmap 7 0 1000 1 1 100000 65536']);
  assert.deepEqual(order, ['start', 'start', 'wait', 'wait']);
});

test('a helper that refuses is named with the files to look at', () => {
  const host = withProc(1000, {
    spawn: () => ({ pid: 1, pidfd: 1 }),
    wait: () => ({ status: 1 }),
    close: () => undefined,
  });
  assert.throws(
    () => writeIdMaps(host, 7, FULL, FULL),
    (error: unknown) =>
      error instanceof Failure && error.status === 125 && /newuidmap refused .*\/etc\/subuid/.test(error.message),
  );
});
