import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { HostError, type Host } from '../../../src/host/host.ts';
import { BY_NODE_APART, BY_NODE_ASIDE } from '../../../src/host/native.ts';
import { standAside } from '../../../src/verbs/stand-aside.ts';

const GROUP = '/user.slice/user-1000.slice/session-1.scope';
const AUTOGROUPS = { '/proc/sys/kernel/sched_autogroup_enabled': '1\n' };
const WEIGHT = { [`/sys/fs/cgroup${GROUP}/cpu.weight`]: '1\n' };

function asked(files: Record<string, string>, connectUnix: Host['connectUnix'], group = GROUP): number {
  const host = fakeHost({
    uid: 1000,
    files: { '/proc/self/cgroup': `0::${group}\n`, ...files },
    environment: { XDG_RUNTIME_DIR: '/run/user/1000' },
    calls: { connectUnix },
  });
  return standAside(host);
}

const nobody = (path: string): never => {
  throw new HostError('connect', 'ENOENT', 2, 'no such file or directory', path);
};

void test('where control groups share the processors a niceness and the group of the pull are all', () => {
  assert.equal(asked({ ...AUTOGROUPS, ...WEIGHT }, nobody), BY_NODE_ASIDE);
});

void test('where sessions share them, Node has one of its own', () => {
  assert.equal(asked(AUTOGROUPS, nobody), BY_NODE_APART);
});

void test('where neither does, a niceness is enough', () => {
  assert.equal(asked({}, nobody), BY_NODE_ASIDE);
  assert.equal(asked({ '/proc/sys/kernel/sched_autogroup_enabled': '0\n' }, nobody), BY_NODE_ASIDE);
});

void test('the manager that is asked is that of the account; its silence is no reason not to pull', () => {
  const tried: string[] = [];
  asked({}, path => (tried.push(path), nobody(path)));
  assert.deepEqual(tried, ['/run/user/1000/systemd/private', '/run/user/1000/bus']);
});

void test('who has chosen a scope for it finds it there', () => {
  asked({}, path => assert.fail(path), '/system.slice/run-r1.scope');
  const tried: string[] = [];
  const desktop = '/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-1.scope';
  asked({}, path => (tried.push(path), nobody(path)), desktop);
  assert.equal(tried.length, 2);
});
