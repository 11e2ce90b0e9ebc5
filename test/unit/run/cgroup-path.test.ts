import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unifiedPath, unitOfPath } from '../../../src/run/cgroup-path.ts';

test('only the line of the unified hierarchy counts', () => {
  assert.equal(unifiedPath('9:name=systemd:/x\n0::/system.slice/web.service\n'), '/system.slice/web.service');
  assert.equal(unifiedPath('1:name=systemd:/x\n'), undefined);
  assert.equal(unifiedPath('10::/x\n0::/\n'), '/');
});

const CASES: readonly [path: string, unit: string, manager: string, group: string, below: string][] = [
  ['/system.slice/web.service/supervisor', 'web.service', 'system', '/system.slice/web.service', 'supervisor'],
  ['/system.slice/web.service/.control', 'web.service', 'system', '/system.slice/web.service', '.control'],
  ['/system.slice/web.service', 'web.service', 'system', '/system.slice/web.service', ''],
  ['/a.slice/a-b.slice/web@1.service/x/y', 'web@1.service', 'system', '/a.slice/a-b.slice/web@1.service', 'x/y'],
  [
    '/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/payload',
    'web.service',
    'user',
    '/user.slice/user-1000.slice/user@1000.service/app.slice/web.service',
    'payload',
  ],
  [
    '/user.slice/user-1000.slice/user@1000.service/init.scope',
    'init.scope',
    'user',
    '/user.slice/user-1000.slice/user@1000.service/init.scope',
    '',
  ],
  [
    '/user.slice/user-1000.slice/session-3.scope',
    'session-3.scope',
    'system',
    '/user.slice/user-1000.slice/session-3.scope',
    '',
  ],
  ['/system.slice/_cgroup.service', 'cgroup.service', 'system', '/system.slice/_cgroup.service', ''],
  ['/', '', '', '/', ''],
  ['/foo/bar.service', '', '', '/foo/bar.service', ''],
];

for (const [path, unit, manager, group, below] of CASES) {
  test(`the unit of ${path}`, () => assert.deepEqual(unitOfPath(path), { unit, manager, path: group, below }));
}

test('a container inside the user manager of a user is the inner unit', () => {
  const found = unitOfPath('/user.slice/user-7.slice/user@7.service/app.slice/app-x.slice/db.service/supervisor');
  assert.equal(found.unit, 'db.service');
  assert.equal(found.manager, 'user');
});
