import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import type { Stat } from '../../../src/host/host.ts';
import { additionalPaths, additionalStores, findLayer, listedStores } from '../../../src/image/additional.ts';
import type { Digest } from '../../../src/image/types.ts';
import { findImage } from '../../../src/image/resolve.ts';

test('the key of storage.conf, as people write it', () => {
  const cases: [string, string[]][] = [
    ['', []],
    ['[storage]\nadditionalimagestores = ["/a"]\n', []],
    ['[storage.options]\nadditionalimagestores = [ "/a", \'/b c\', ]\n', ['/a', '/b c']],
    [
      '[storage]\ndriver = "overlay"\n[storage.options] # more\n\nadditionalimagestores = [\n  "/a", # "/no"\n  # "/no"\n  "/b"\n]\n',
      ['/a', '/b'],
    ],
    ['[storage.options]\n# additionalimagestores = ["/a"]\nsize = "1"\n', []],
    ['[storage.options]\nsize = "1"\n[storage.options.overlay]\nadditionalimagestores = ["/a"]\n', []],
    ['[ storage . options ]\r\nadditionalimagestores = ["/q\\"x"]\r\n', ['/q"x']],
    ['[storage.options]\nadditionalimagestores = []\nother = ["/b"]\n', []],
  ];
  for (const [text, wanted] of cases) assert.deepEqual(additionalPaths(text), wanted, text);
});

const LAYER = `sha256:${'a'.repeat(64)}` as Digest;
const ID = '1'.repeat(64);

function host(uid: number, owners: Record<string, number>, more: Record<string, string> = {}): FakeHost {
  const store = (path: string): Record<string, string> => ({
    [`${path}/version`]: '{"version":1}\n',
    [`${path}/layers/sha256-${'a'.repeat(64)}/layer.json`]: JSON.stringify({ version: 1, diffId: LAYER, size: 5 }),
    [`${path}/layers/sha256-${'a'.repeat(64)}/fs/etc/passwd`]: '',
    [`${path}/images/${ID}.json`]: JSON.stringify({ version: 1, id: ID, layers: [LAYER], config: {} }),
    [`${path}/names/localhost%2Fweb:latest`]: `${ID}\n`,
  });
  const paths = Object.keys(owners);
  return fakeHost({
    uid,
    environment: { HOME: '/home/alice' },
    files: {
      '/etc/containers/storage.conf': `[storage.options]\nadditionalimagestores = [${paths.map(path => `"${path}"`).join(', ')}]\n`,
      ...Object.fromEntries(
        paths.filter(path => path.startsWith('/ours')).flatMap(path => Object.entries(store(path))),
      ),
      ...more,
    },
    calls: {
      stat: path => (path in owners ? ({ kind: 'directory', uid: owners[path], mode: 0o755 } as Stat) : undefined),
    },
  });
}

test('which stores are read, and why not', () => {
  const root = host(
    0,
    { '/ours': 0, '/ours-of-alice': 1000, '/podman': 0, '/empty': 0, rel: 0 },
    { '/podman/overlay-images/images.json': '[]' },
  );
  assert.deepEqual(additionalStores(root), ['/ours']);
  const faults = listedStores(root).map(store => store.fault ?? '');
  assert.match(faults[1] ?? '', /belongs to uid 1000/);
  assert.match(faults[2] ?? '', /store of Podman/);
  assert.match(faults[3] ?? '', /not a store of Berth/);
  assert.match(faults[4] ?? '', /absolute/);
  const newer = host(0, { '/ours': 0 }, { '/ours/version': '{"version":9}\n' });
  assert.match(listedStores(newer)[0]?.fault ?? '', /format is 9/);
});

test("an account's own file counts more than the system's", () => {
  const own = { '/home/alice/.config/containers/storage.conf': '[storage]\n' };
  assert.deepEqual(additionalStores(host(1000, { '/ours': 1000 })), ['/ours']);
  assert.deepEqual(additionalStores(host(1000, { '/ours': 1000 }, own)), []);
});

test('an image or a layer of an additional store is found where the own one lacks it', () => {
  const both = host(0, { '/ours': 0 });
  assert.deepEqual(findImage(both, '/own', 'web')?.layers, [`/ours/layers/sha256-${'a'.repeat(64)}/fs`]);
  assert.equal(findImage(both, '/own', 'web')?.store, '/ours');
  assert.equal(findLayer(both, '/own', LAYER)?.record.size, 5);
  // Record and name here, the layer there: an image that shares its base.
  const shared = host(
    0,
    { '/ours': 0 },
    {
      [`/own/images/${ID}.json`]: JSON.stringify({ version: 1, id: ID, layers: [LAYER], config: {} }),
      '/own/names/localhost%2Fapp:latest': `${ID}\n`,
    },
  );
  const found = findImage(shared, '/own', 'app');
  assert.equal(found?.store, '/own');
  assert.deepEqual(found.layers, [`/ours/layers/sha256-${'a'.repeat(64)}/fs`]);
});
