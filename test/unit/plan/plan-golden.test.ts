import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Plan } from '../../../src/plan/types.ts';
import { accountFacts, plan, rootFacts } from './plan-helpers.ts';

/** Whole plans, compared with files beside this one; UPDATE=1 writes them anew. */
function golden(name: string, made: Plan): void {
  const path = new URL(`${name}.golden.json`, import.meta.url);
  const text = `${JSON.stringify(made, undefined, 2)}\n`;
  if (process.env['UPDATE'] === '1') writeFileSync(path, text);
  assert.ok(existsSync(path), `${name}.golden.json is missing: run with UPDATE=1 and read what it wrote`);
  assert.deepEqual(JSON.parse(text), JSON.parse(readFileSync(path, 'utf8')));
}

test('the least plan of root', () => {
  golden('least-root', plan([]));
});

test('the least plan of an account', () => {
  golden('least-account', plan([], accountFacts()));
});

test('everything at once', () => {
  const facts = rootFacts({
    volumes: {
      'volume:data': { path: '/store/volumes/data/_data', fresh: true },
      'anonymous:/image': { path: '/store/volumes/x/_data', fresh: true },
    },
    sources: { '/src': 'directory', '/usr/share/zoneinfo/Europe/Berlin': 'file' },
    devices: { '/dev/fuse': [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0 }] },
    notifySocket: true,
    listen: { count: 2, names: 'http:https' },
    watchdog: '3000000',
    proxyEnvironment: ['http_proxy=http://proxy:3128'],
  });
  const options = [
    ['volume', '/src:/mnt/deep/er:ro,rslave'],
    ['volume', 'data:/data:U'],
    ['volume', '/src:/over:O'],
    ['tmpfs', '/t:size=1m,exec'],
    ['tmpfs', '/dev/shm'],
    ['device', '/dev/fuse'],
    ['read-only', 'true'],
    ['tty', 'true'],
    ['user', 'www'],
    ['group-add', 'adm'],
    ['cap-add', 'net_admin'],
    ['cap-drop', 'chown'],
    ['security-opt', 'no-new-privileges'],
    ['security-opt', 'seccomp=unconfined'],
    ['security-opt', 'mask=/etc/secret'],
    ['security-opt', 'unmask=/proc/*'],
    ['sysctl', 'net.core.somaxconn=5'],
    ['ulimit', 'core=-1'],
    ['memory', '64m'],
    ['memory-reservation', '32m'],
    ['cpus', '0.5'],
    ['cpu-shares', '512'],
    ['cpuset-cpus', '0-1'],
    ['pids-limit', '100'],
    ['cgroup-conf', 'memory.high=50M'],
    ['tz', 'Europe/Berlin'],
    ['hostname', 'web'],
    ['network', 'none'],
    ['env', 'A=1'],
    ['label', 'x=y'],
    ['annotation', 'a=b'],
    ['stop-signal', 'QUIT'],
    ['stop-timeout', '3'],
    ['oom-score-adj', '100'],
    ['init', 'true'],
  ] as const;
  golden('everything', plan(options, facts, { volumes: ['/image', '/data'], environment: ['B=2', 'PATH=/bin'] }));
});
