import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNames } from '../../../src/network/names.ts';
import { setting } from './setting.ts';

const DIRECTORY = '/run/berth/networks/aardvark-dns';

void test('root: the server of names is started for what netavark has written, and its pid is told', () => {
  const one = setting({ uid: 0, files: { [`${DIRECTORY}/red`]: '10.89.0.1\n', [`${DIRECTORY}/aardvark.pid`]: '500' } });
  assert.equal(startNames(one.host), 500);
  assert.equal(one.ran[0]?.argv.join(' '), `/usr/lib/podman/aardvark-dns --config ${DIRECTORY} -p 53 run`);
});

void test('root: without a network with names nothing is started, and that is no failure', () => {
  const one = setting({ uid: 0, files: { [`${DIRECTORY}/aardvark.pid`]: '500' } });
  assert.equal(startNames(one.host), undefined);
  assert.equal(one.ran.length, 0);
  assert.equal(startNames(setting({ uid: 0 }).host), undefined);
});

void test('root: a server that is gone at once has no pid; one that cannot start is a failure with its words', () => {
  const files = { [`${DIRECTORY}/red`]: '10.89.0.1\n', [`${DIRECTORY}/aardvark.pid`]: '501' };
  assert.equal(startNames(setting({ uid: 0, files }).host), undefined);
  const bad = setting({ uid: 0, files, run: () => ({ status: 1, stderr: 'no\n' }) });
  assert.throws(() => startNames(bad.host), /aardvark-dns could not be started: no$/);
});

void test('an account without its namespace has no names', () => {
  const one = setting({ uid: 1000, files: { '/proc/self/cgroup': '0::/user.slice/session-1.scope\n' } });
  one.host.mkdirs('/run/berth/users/1000', 0o700);
  one.host.chown('/run/berth/users/1000', 1000, 1000);
  assert.throws(() => startNames(one.host), /network namespace of this account is not there/);
});
