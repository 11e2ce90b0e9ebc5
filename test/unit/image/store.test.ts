import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { HostError, type Stat } from '../../../src/host/host.ts';
import { storeMap } from '../../../src/image/store-map.ts';
import { storeDirectory } from '../../../src/image/store.ts';

interface Account {
  readonly uid: number;
  readonly environment?: Record<string, string>;
  readonly files?: Record<string, string>;
  /** Directories and their owners. */
  readonly owners?: Record<string, number>;
}

function host({ uid, environment = {}, files = {}, owners = {} }: Account): FakeHost {
  const stat = (path: string): Stat | undefined =>
    path in owners ? ({ kind: 'directory', uid: owners[path], mode: 0o700 } as Stat) : undefined;
  return fakeHost({
    files,
    environment,
    uid,
    calls: { stat, access: (path: string) => owners[path] === uid },
  });
}

test('where the store is', () => {
  const home = { '/home/alice': 1000, '/': 0 };
  assert.equal(storeDirectory(host({ uid: 0 })), '/var/lib/berth');
  assert.equal(
    storeDirectory(host({ uid: 1000, environment: { HOME: '/home/alice' }, owners: home })),
    '/home/alice/.local/share/berth',
  );
  assert.equal(
    storeDirectory(host({ uid: 1000, environment: { HOME: '/home/alice', XDG_DATA_HOME: '/data' }, owners: home })),
    '/data/berth',
  );
  const passwd = { '/etc/passwd': 'alice:x:1000:1000::/home/alice:/bin/sh\n' };
  assert.equal(
    storeDirectory(host({ uid: 1000, environment: { HOME: '/root' }, owners: home, files: passwd })),
    '/home/alice/.local/share/berth',
  );
  assert.equal(
    storeDirectory(host({ uid: 990, environment: { HOME: '/' }, owners: home })),
    '/var/lib/berth/users/990',
  );
});

test('a store that is there counts more than a home that cannot be written', () => {
  const owners = { '/home/alice': 1000, '/home/alice/.local/share/berth': 1000 };
  const stat = (path: string): Stat | undefined =>
    path in owners ? ({ kind: 'directory', uid: 1000, mode: 0o700 } as Stat) : undefined;
  const account = fakeHost({ environment: { HOME: '/home/alice' }, uid: 1000, calls: { stat, access: () => false } });
  assert.equal(storeDirectory(account), '/home/alice/.local/share/berth');
  const hidden = (path: string): Stat => {
    throw new HostError('stat', 'EACCES', 13, 'permission denied', path);
  };
  const sandboxed = fakeHost({ environment: { HOME: '/home/alice' }, uid: 1000, calls: { stat: hidden } });
  assert.equal(storeDirectory(sandboxed), '/var/lib/berth/users/1000');
});

test('an account of DynamicUser= has its store in the state directory', () => {
  const environment = { HOME: '/', STATE_DIRECTORY: '/var/lib/web:/var/lib/other' };
  assert.equal(
    storeDirectory(host({ uid: 61200, environment, owners: { '/var/lib/web': 61200 } })),
    '/var/lib/web/berth',
  );
  // A directory of somebody else is none of ours.
  assert.equal(
    storeDirectory(host({ uid: 61200, environment, owners: { '/var/lib/web': 61201 } })),
    '/var/lib/berth/users/61200',
  );
});

test('the id map of a store', () => {
  assert.equal(storeMap(host({ uid: 0 })).kind, 'host');
  const files = {
    '/etc/passwd': 'alice:x:1000:1000::/home/alice:/bin/sh\n',
    '/etc/subuid': 'bob:1:1\nalice:100000:10\n1000:200000:5\n',
    '/etc/subgid': 'alice:300000:65536\n',
  };
  const map = storeMap(host({ uid: 1000, files }));
  assert.equal(map.kind, 'subordinate');
  assert.deepEqual(map.uid, [
    { inside: 0, outside: 1000, count: 1 },
    { inside: 1, outside: 100000, count: 10 },
    { inside: 11, outside: 200000, count: 5 },
  ]);
  assert.deepEqual(map.gid[1], { inside: 1, outside: 300000, count: 65536 });
});

test('an account without subordinate ids is told which file lacks them; a dynamic one has its own id', () => {
  assert.throws(
    () => storeMap(host({ uid: 1002 })),
    /uid 1002 has no subordinate ids in \/etc\/subuid; as root: usermod/,
  );
  assert.deepEqual(storeMap(host({ uid: 61200 })), {
    kind: 'single',
    uid: [{ inside: 0, outside: 61200, count: 1 }],
    gid: [{ inside: 0, outside: 61200, count: 1 }],
  });
});
