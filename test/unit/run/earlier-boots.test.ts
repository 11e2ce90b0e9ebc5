import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { sweepEarlierBoots } from '../../../src/run/earlier-boots.ts';

const STORE = '/var/lib/berth';
const note = (more: object): string =>
  JSON.stringify({ version: 1, uidMap: [], gidMap: [], anonymousVolumes: [], ...more });

function afterBoot(locked: string[] = []): FakeHost {
  return fakeHost({
    files: {
      '/proc/sys/kernel/random/boot_id': 'two\n',
      [`${STORE}/containers/lost/container.json`]: note({ boot: 'one', remove: true }),
      [`${STORE}/containers/kept/container.json`]: note({ boot: 'one', remove: false }),
      [`${STORE}/containers/runs/container.json`]: note({ boot: 'two', remove: true }),
      [`${STORE}/containers/older/container.json`]: note({}),
      [`${STORE}/containers/half/upper/file`]: '',
    },
    directories: ['/run/berth', `${STORE}/locks`],
    calls: {
      lock: (path: string) => (locked.includes(path) ? undefined : { release: () => undefined }),
    },
  });
}

test('what --rm left when the power went is removed, once in a boot', () => {
  const host = afterBoot();
  const removed: string[] = [];
  const remove = (name: string): string[] => (removed.push(name), []);
  assert.deepEqual(sweepEarlierBoots(host, STORE, remove), []);
  assert.deepEqual(removed.sort(), ['half', 'lost']);
  sweepEarlierBoots(host, STORE, remove);
  assert.equal(removed.length, 2);
});

test('a name that somebody is starting is left alone', () => {
  const removed: string[] = [];
  const locked = ['lost', 'half'].map(name => `${STORE}/locks/container-${name}`);
  sweepEarlierBoots(afterBoot(locked), STORE, name => (removed.push(name), []));
  assert.deepEqual(removed, []);
});
