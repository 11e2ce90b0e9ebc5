import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import type { SpecMount } from '../../../src/plan/spec.ts';
import type { Plan, RootFileSystem } from '../../../src/plan/types.ts';
import { makeMountPoints, withMountPoints } from '../../../src/run/mount-points.ts';

const STORE = '/var/lib/berth';
const MAP = [{ containerID: 0, hostID: 1000, size: 1 }];
const bind = (destination: string): SpecMount => ({ type: 'bind', source: '/x', destination, options: [] });
const POINTS = [bind('/etc/hostname'), bind('/etc/hosts'), bind('/data'), bind('/run/.containerenv')];

function account(): FakeHost {
  return fakeHost({ uid: 1000, directories: [STORE] });
}

function plan(uidMappings = MAP, changes: Partial<Extract<RootFileSystem, { kind: 'overlay' }>> = {}): Plan {
  const root = { kind: 'overlay', lower: ['/image'], idMapped: false, ...changes };
  return { root, spec: { mounts: POINTS, linux: { uidMappings } } } as unknown as Plan;
}

test('a layer with exactly the files that are mounted lies below the image', () => {
  const found = withMountPoints(account(), STORE, plan());
  assert.equal(found?.path, `${STORE}/mount-points/hosts+hostname+containerenv`);
  const { root } = found.plan;
  assert.deepEqual(root.kind === 'overlay' && root.lower, ['/image', found.path]);
});

test('there is none where its files would belong to somebody else, or nothing is mounted', () => {
  const host = account();
  assert.equal(withMountPoints(host, STORE, plan([{ containerID: 0, hostID: 100_000, size: 1 }])), undefined);
  const outer = { uid: MAP, gid: MAP };
  assert.equal(withMountPoints(host, STORE, { ...plan(), outer }), undefined);
  const bare = plan();
  assert.equal(withMountPoints(host, STORE, { ...bare, spec: { ...bare.spec, mounts: [] } }), undefined);
});

test('a mount over the directory holds the file itself, and takes its mode from what is below', () => {
  const bare = plan();
  const spec = { ...bare.spec, mounts: [{ ...bind('/run'), type: 'tmpfs' }, ...POINTS] };
  assert.equal(withMountPoints(account(), STORE, { ...bare, spec })?.path, `${STORE}/mount-points/hosts+hostname`);
});

test('it is made once, whole, and open to everybody inside', () => {
  const host = account();
  const path = withMountPoints(host, STORE, plan())?.path ?? '';
  makeMountPoints(host, STORE, path);
  const files = [...host.files.nodes.keys()].filter(one => one.startsWith(`${path}/`)).sort();
  assert.deepEqual(
    files.map(one => one.slice(path.length)),
    ['/etc', '/etc/hostname', '/etc/hosts', '/run', '/run/.containerenv'],
  );
  assert.deepEqual(
    [host.stat(path)?.mode, host.stat(`${path}/run`)?.mode, host.stat(`${path}/etc/hosts`)?.mode],
    [0o755, 0o755, 0o644],
  );
  const before = host.log.length;
  makeMountPoints(host, STORE, path);
  assert.equal(
    host.log.slice(before).some(line => /^(mkdir|rename|writeFile)/.test(line)),
    false,
  );
  assert.deepEqual(
    [...host.files.nodes.keys()].filter(one => one.startsWith(`${STORE}/tmp/`)),
    [],
  );
});
