import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeOptions } from '../../../src/host/fake.ts';
import { HostError, type Stat } from '../../../src/host/host.ts';
import type { PlanFacts } from '../../../src/plan/types.ts';
import { collectFacts } from '../../../src/run/facts.ts';
import { parse } from '../plan/helpers.ts';

type Options = readonly (readonly [string, string])[];

const STATUS = 'Name:\tberth\nCapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\n';
const LIMITS =
  'Limit                     Soft Limit           Hard Limit           Units     \n' +
  'Max cpu time              unlimited            unlimited            seconds   \n' +
  'Max processes             7000                 7001                 processes \n' +
  'Max open files            1024                 524288               files     \n';

const ACCOUNT = {
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n',
  '/etc/subuid': 'bob:1:2\nalice:100000:65536\n1000:300000:10\n',
  '/etc/subgid': 'alice:200000:65536\n',
  '/proc/self/status': STATUS,
  '/proc/self/limits': LIMITS,
  '/proc/self/uid_map': '0 0 4294967295\n',
  '/usr/bin/newuidmap': '',
  '/usr/bin/newgidmap': '',
};

interface Place {
  readonly options?: Options;
  readonly files?: Record<string, string>;
  readonly host?: FakeOptions;
  readonly layers?: readonly string[];
}

function facts({ options = [], files = {}, host = {}, layers = [] }: Place): PlanFacts {
  const made = fakeHost({ uid: 1000, files: { ...ACCOUNT, ...files }, ...host });
  const known = {
    request: parse(options),
    layers,
    layer: '/l',
    bundle: '/b',
    volumes: {},
    controllers: [],
    notifySocket: false,
    secrets: {},
  };
  return collectFacts(made, known)._unsafeUnwrap();
}

test('an account: name, ranges by name and by number, helpers, limits', () => {
  const found = facts({});
  assert.equal(found.userName, 'alice');
  assert.deepEqual(found.subUids, [
    { start: 100000, count: 65536 },
    { start: 300000, count: 10 },
  ]);
  assert.deepEqual(found.subGids, [{ start: 200000, count: 65536 }]);
  assert.equal(found.idMapHelpers, true);
  assert.deepEqual(found.limits['nofile'], { soft: 1024, hard: 524288 });
  assert.deepEqual(found.limits['nproc'], { soft: 7000, hard: 7001 });
  assert.deepEqual(found.limits['cpu'], { soft: 'unlimited', hard: 'unlimited' });
});

test('what makes the helpers useless is said', () => {
  const problem = (status: string) => facts({ files: { '/proc/self/status': status } }).idMapProblem ?? '';
  assert.match(problem(STATUS.replace('NoNewPrivs:\t0', 'NoNewPrivs:\t1')), /no-new-privileges is on/);
  assert.match(problem(STATUS.replace('000001ffffffffff', '000001ffffffff3f')), /the bounding set lacks/);
  const ambient = STATUS.replace('NoNewPrivs:\t0', 'NoNewPrivs:\t1').replace(
    'CapEff:\t0000000000000000',
    'CapEff:\t00000000000000c0',
  );
  assert.equal(problem(ambient), '');
  const own = facts({ files: { '/proc/self/uid_map': '1000 1000 1\n' } }).idMapProblem;
  assert.match(own ?? '', /do not exist in the user namespace that this runs in/);
  const stat = (): Stat => ({ mode: 0o4755 }) as Stat;
  const bounded = { ...ACCOUNT, '/proc/self/status': STATUS.replace('000001ffffffffff', '000001ffffdfffff') };
  const setUserId = facts({ host: { files: bounded, calls: { stat } } });
  assert.match(setUserId.idMapProblem ?? '', /needs CAP_SYS_ADMIN, which the bounding set lacks/);
  const calls = { access: (path: string) => !path.endsWith('newgidmap') };
  assert.match(facts({ host: { calls } }).idMapProblem ?? '', /newgidmap is not there; install the package uidmap/);
});

test('an account without ranges', () => {
  const found = facts({ files: { '/etc/subuid': '', '/etc/subgid': '' } });
  assert.deepEqual([found.subUids, found.subGids], [[], []]);
});

test('root has no ranges but those of a name it asks for', () => {
  const files = { '/proc/self/uid_map': '         0          0 4294967295\n', '/proc/self/gid_map': '0 0 10\n' };
  const found = facts({ files, host: { uid: 0, files: { ...ACCOUNT, ...files } } });
  assert.deepEqual(found.subUids, []);
  assert.deepEqual(found.ourUidMap, [{ containerID: 0, hostID: 0, size: 4294967295 }]);
  const named = facts({ options: [['subuidname', 'alice']], host: { uid: 0, files: { ...ACCOUNT, ...files } } });
  assert.deepEqual(named.subUids, [{ start: 100000, count: 65536 }]);
});

test('T16: names come from the topmost layer that has the file, and a whiteout hides those below', () => {
  const answers: Record<string, { data: string } | 'absent' | 'whiteout'> = {
    '/top/etc/passwd': 'absent',
    '/low/etc/passwd': { data: 'low' },
    '/top/etc/group': 'whiteout',
    '/low/etc/group': { data: 'low' },
  };
  const calls = { readFileInRoot: (root: string, path: string) => answers[root + path] ?? 'absent' };
  const found = facts({ layers: ['/top', '/low'], host: { calls } });
  assert.deepEqual([found.passwd, found.group], ['low', '']);
});

test('a file of the image that we may not read counts as empty', () => {
  const calls = {
    readFileInRoot: () => {
      throw new HostError('openat2', 'EACCES', 13, 'permission denied', '/etc/passwd');
    },
  };
  assert.equal(facts({ layers: ['/l'], host: { calls } }).passwd, '');
});

test('descriptors and watchdog count only when they are meant for us', () => {
  const listen = (pid: string) =>
    facts({
      host: {
        environment: { LISTEN_FDS: '2', LISTEN_PID: pid, LISTEN_FDNAMES: 'a:b', WATCHDOG_USEC: '9', WATCHDOG_PID: pid },
      },
    });
  assert.deepEqual(listen('4242').listen, { count: 2, names: 'a:b' });
  assert.equal(listen('4242').watchdog, '9');
  assert.deepEqual(listen('1').listen, { count: 0, names: '' });
  assert.equal(listen('1').watchdog, undefined);
});

test('a profile is read only where the built-in one does not do', () => {
  const files = { '/usr/share/containers/seccomp.json': 'default', '/mine.json': 'mine' };
  const profile = (options: Options) => facts({ options, files }).seccompProfile;
  assert.equal(profile([]), undefined);
  assert.equal(profile([['cap-drop', 'all']]), 'default');
  assert.equal(profile([['security-opt', 'seccomp=/mine.json']]), 'mine');
  assert.equal(profile([['security-opt', 'seccomp=unconfined']]), undefined);
  assert.equal(
    profile([
      ['privileged', 'false'],
      ['security-opt', 'seccomp=/none.json'],
    ]),
    undefined,
  );
});

test('bind sources and proxies', () => {
  const files = { '/data/file': '' };
  const found = facts({
    options: [
      ['volume', '/data:/a'],
      ['volume', '/data/file:/b'],
      ['volume', '/none:/c'],
    ],
    files,
    host: { files: { ...ACCOUNT, ...files }, environment: { http_proxy: 'p', NO_PROXY: 'q', OTHER: 'r' } },
  });
  assert.deepEqual(found.sources, { '/data': 'directory', '/data/file': 'file' });
  assert.deepEqual(found.proxyEnvironment, ['http_proxy=p', 'NO_PROXY=q']);
});
