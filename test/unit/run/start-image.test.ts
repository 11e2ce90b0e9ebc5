import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeHost } from '../../../src/host/fake.ts';
import { findImage, type FoundImage } from '../../../src/image/resolve.ts';
import { newOptions } from '../../../src/plan/parse-mounts.ts';
import type { MountRequest } from '../../../src/plan/request.ts';
import { startContainer } from '../../../src/run/start.ts';
import { OF_AN_IMAGE, parts, unit } from './start-fixture.ts';

const STORE = '/var/lib/berth';
const IMAGE = '1'.repeat(64);
const OTHER = '2'.repeat(64);

/** An image of one layer that is named so. */
function putImage(host: FakeHost, id: string, name: string): FoundImage | undefined {
  const layer = `sha256:${id}`;
  const config = { entrypoint: [], command: [], environment: [], user: '', workingDirectory: '', labels: {} };
  const more = { config: { ...config, exposedPorts: [], volumes: [], stopSignal: '' }, layers: [layer], size: 1 };
  for (const path of [`layers/sha256-${id}/fs/etc`, 'images', 'names']) host.mkdirs(`${STORE}/${path}`, 0o700);
  const record = { version: 1, id, architecture: 'amd64', os: 'linux', created: '', ...more };
  host.writeFile(`${STORE}/images/${id}.json`, JSON.stringify(record), 0o600);
  host.writeFile(`${STORE}/names/localhost%2F${name}:latest`, `${id}\n`, 0o600);
  return findImage(host, STORE, name);
}

/** A start of `web` with `tools` mounted, and a removal of the image with this id right before it gets the lock. */
function startBeside(removed: string, ensures: boolean): { host: FakeHost; ensured: number } {
  const host = unit();
  const image = putImage(host, IMAGE, 'web');
  putImage(host, OTHER, 'tools');
  assert.ok(image !== undefined);
  const plain = host.lock.bind(host);
  let gone = false;
  host.lock = (path, exclusive, wait) => {
    if (!gone && path.endsWith(`image-${removed}`)) host.unlink(`${STORE}/images/${removed}.json`);
    gone ||= path.endsWith(`image-${removed}`);
    return plain(path, exclusive, wait);
  };
  let ensured = 0;
  const ensure = (): FoundImage | undefined => {
    ensured++;
    return putImage(host, IMAGE, 'web');
  };
  const mount: MountRequest = { kind: 'image', source: 'localhost/tools', target: '/mnt', options: newOptions() };
  const request = { ...OF_AN_IMAGE, image: 'localhost/web', mounts: [mount] };
  const wanted = { id: 'ab'.repeat(32), store: STORE, image, ...(ensures ? { ensure } : {}) };
  assert.equal(startContainer(host, parts(host), request, wanted), 0);
  return { host, ensured };
}

test('an image that is removed between the look and the lock is found or fetched once more', () => {
  const { host, ensured } = startBeside(IMAGE, true);
  assert.equal(ensured, 1);
  const text = host.files.contents()['/run/berth/containers/web/state.json'] ?? '{}';
  const state = JSON.parse(text) as { imageId: string; mountedImages: string[] };
  assert.deepEqual([state.imageId, state.mountedImages], [IMAGE, [OTHER]]);
  for (const id of [IMAGE, OTHER]) assert.equal(host.files.locks.get(`${STORE}/locks/image-${id}`), 0);
  assert.throws(() => startBeside(IMAGE, false), /localhost\/web: no such image in/);
  assert.throws(
    () => startBeside(OTHER, true),
    /the image 222222222222, which is to be mounted, was removed meanwhile/,
  );
});
