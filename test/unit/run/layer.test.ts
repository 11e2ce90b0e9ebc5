import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import type { LaunchRequest } from '../../../src/host/host.ts';
import { makeLayer, removeUnused, sweep } from '../../../src/run/layer.ts';

const STORE = '/var/lib/berth';
const LAYER = `${STORE}/containers/web`;
const NOTE = { version: 1, uidMap: [], gidMap: [], anonymousVolumes: [] } as const;

/** A container's layer as overlayfs leaves it; `launched` gets what is started. */
function withLayer(launched: LaunchRequest[]): FakeHost {
  const host = fakeHost({
    directories: [STORE],
    calls: {
      launch(request: LaunchRequest) {
        launched.push(request);
        return { pid: 7, pidfd: 70, control: 71, status: 72 };
      },
      close: () => undefined,
    },
  });
  makeLayer(host, STORE, 'web', NOTE, true);
  host.mkdir([LAYER, 'work', 'work'].join('/'), 0); // overlayfs makes it
  return host;
}

test('a layer that nothing was written into is out of the way at once, and a child removes it', () => {
  const launched: LaunchRequest[] = [];
  const host = withLayer(launched);
  assert.equal(removeUnused(host, STORE, LAYER), true);
  assert.equal(host.lstat(LAYER), undefined);
  const [moved] = host.list(`${STORE}/tmp`);
  assert.ok(launched[0]?.ops.includes(`${STORE}/tmp/${moved?.name ?? '?'}`));
  // Whoever reads our output does not wait for it.
  assert.deepEqual(launched[0]?.stdio, ['null', 'null', 'null']);
});

test('a layer with content stays for who waits for it', () => {
  const launched: LaunchRequest[] = [];
  const host = withLayer(launched);
  host.writeFile(`${LAYER}/upper/data`, 'x', 0o644);
  assert.equal(removeUnused(host, STORE, LAYER), false);
  assert.notEqual(host.lstat(LAYER), undefined);
  assert.deepEqual(launched, []);
});

test('what the dead left in tmp/ is swept, but for a layer that a killed repair had set aside', () => {
  const host = fakeHost({
    files: {
      [`${STORE}/tmp/8.1.abc/broken-sha256-aa/fs/file`]: 'x',
      [`${STORE}/tmp/8.1.abc/sha256-bb/fs/file`]: 'x',
      [`${STORE}/tmp/9.1.abc/upper/broken-sha256-aa/file`]: 'x',
      [`${STORE}/tmp/9.2.abc`]: 'x',
    },
  });
  sweep(host, STORE, [], []);
  assert.deepEqual(
    host.list(`${STORE}/tmp`).map(({ name }) => name),
    ['8.1.abc'],
  );
  assert.notEqual(host.lstat(`${STORE}/tmp/8.1.abc/broken-sha256-aa/fs/file`), undefined);
});
