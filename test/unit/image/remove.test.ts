import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Beside } from '../../../src/host/beside.ts';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { writeNamed } from '../../../src/image/archive/ingest.ts';
import { listNames, writeName } from '../../../src/image/names.ts';
import { removeImage, removeLoose } from '../../../src/image/remove.ts';
import { findImage } from '../../../src/image/resolve.ts';
import type { Digest, ImageRecord } from '../../../src/image/types.ts';
import { takeImage } from '../../../src/verbs/image-prune.ts';
import { takeAside } from '../../../src/verbs/system-repair.ts';
import { aState } from '../run/state-fixture.ts';

const STORE = '/store';
const TRASH = `${STORE}/tmp/4242.1.x`;
const PULL = '77.1000.y';
const ONE = '1'.repeat(64);
const TWO = '2'.repeat(64);
const [A, B, C] = ['a', 'b', 'c'].map(digit => `sha256:${digit.repeat(64)}` as Digest);
assert.ok(A !== undefined && B !== undefined && C !== undefined);

function record(id: string, layers: readonly Digest[]): ImageRecord {
  const base = { version: 1, id, architecture: 'amd64', os: 'linux', created: '', layers, size: 1, config: {} };
  return base as unknown as ImageRecord;
}

const path = (layer: Digest): string => `${STORE}/layers/${layer.replace(':', '-')}`;
const layerFiles = (layer: Digest): Record<string, string> => ({
  [`${path(layer)}/fs/etc/passwd`]: '',
  [`${path(layer)}/layer.json`]: JSON.stringify({ version: 1, diffId: layer, size: 5 }),
});

/** A pull with the pid 77 lives. */
function store(images: readonly ImageRecord[], layers: readonly Digest[], more: Record<string, string> = {}): FakeHost {
  return fakeHost({
    files: {
      ...Object.fromEntries(images.map(image => [`${STORE}/images/${image.id}.json`, JSON.stringify(image)])),
      ...Object.fromEntries(layers.flatMap(layer => Object.entries(layerFiles(layer)))),
      ...more,
    },
    directories: [TRASH, '/run/berth', ...['images', 'layers', 'names', `tmp/${PULL}`].map(name => `${STORE}/${name}`)],
    calls: { startTime: pid => (pid === 77 ? '1000' : undefined) },
  });
}

/** Does something right before the first call of this name whose path matches. */
function before(host: FakeHost, name: 'rename' | 'writeFileAtomic' | 'lock', at: string, act: () => void): void {
  const plain = host[name].bind(host) as (...words: unknown[]) => unknown;
  let done = false;
  const hooked = (...words: unknown[]): unknown => {
    if (!done && String(words[0]).startsWith(at)) {
      done = true;
      act();
    }
    return plain(...words);
  };
  Object.assign(host, { [name]: hooked });
}

/** What Node's half does beside other work, one after the other. */
function withBeside(host: FakeHost): FakeHost {
  const calls: Beside = {
    async writeFilesAtomic(files, ready) {
      await ready;
      for (const { path, data } of files) host.writeFileAtomic(path, data, 0o600);
    },
    awaitLock(path, exclusive) {
      const lock = host.lock(path, exclusive, true);
      return lock === undefined ? Promise.reject(new Error(path)) : Promise.resolve(lock);
    },
  };
  return Object.assign(host, calls);
}

const runs = (host: FakeHost, imageId: string, more: object = {}): void => {
  host.mkdirs('/run/berth/containers/web', 0o700);
  const text = JSON.stringify(aState({ imageId, ...more }));
  host.writeFile('/run/berth/containers/web/state.json', text, 0o600);
};

test('layers and documents that nobody has go; who came to count on one meanwhile has it back', () => {
  const lists = (host: FakeHost, wanted: readonly Digest[]): void =>
    host.writeFile(`${STORE}/tmp/${PULL}/wanted`, wanted.map(layer => `${layer}\n`).join(''), 0o600);
  const host = store([record(ONE, [A])], [A, B, C], { [`${STORE}/blobs/sha256/${TWO}`]: '{}' });
  // Between the look and the first removal: a pull that found B, and a load whose image has the document.
  before(host, 'rename', `${STORE}/layers`, () => lists(host, [B]));
  assert.equal(removeLoose(host, STORE, TRASH), 5);
  assert.deepEqual(
    host.list(`${STORE}/layers`).map(({ name }) => name),
    [A, B].map(layer => layer.replace(':', '-')),
  );
  assert.equal(host.lstat(`${path(B)}/fs/etc/passwd`)?.kind, 'file');
  assert.equal(host.lstat(`${STORE}/blobs/sha256/${TWO}`), undefined);

  const loaded = store([], [B], { [`${STORE}/blobs/sha256/${TWO}`]: '{}' });
  before(loaded, 'rename', `${STORE}/layers`, () =>
    loaded.writeFile(`${STORE}/images/${TWO}.json`, JSON.stringify(record(TWO, [B])), 0o600),
  );
  assert.equal(removeLoose(loaded, STORE, TRASH), 0);
  assert.equal(findImage(loaded, STORE, TWO)?.record.id, TWO);
  assert.equal(loaded.lstat(`${STORE}/blobs/sha256/${TWO}`)?.kind, 'file');
});

test('a removal reads the records twice, however many layers the image has, and gives back what another came to have', () => {
  const many = Array.from({ length: 40 }, (_, i) => `sha256:${i.toString(16).padStart(64, '0')}` as Digest);
  const host = store([record(ONE, many), record(TWO, [A])], [...many, A, B]);
  let read = 0;
  const plain = host.readFileIfExists.bind(host);
  Object.assign(host, {
    readFileIfExists: (name: string, limit?: number) => {
      if (name.startsWith(`${STORE}/images/`)) read++;
      return plain(name, limit);
    },
  });
  removeImage(host, STORE, record(ONE, many), TRASH);
  assert.equal(host.list(`${STORE}/layers`).length, 2);
  assert.equal(read, 2);

  const shared = store([record(ONE, [A, B])], [A, B]);
  before(shared, 'rename', path(A), () =>
    shared.writeFile(`${STORE}/images/${TWO}.json`, JSON.stringify(record(TWO, [B])), 0o600),
  );
  removeImage(shared, STORE, record(ONE, [A, B]), TRASH);
  assert.equal(findImage(shared, STORE, TWO)?.record.id, TWO);
  assert.equal(shared.lstat(path(A)), undefined);
});

test('prune looks again under the lock: a container or a name that came meanwhile keeps the image', () => {
  const name = 'localhost/web:latest';
  const kept = (prepare: (host: FakeHost) => void, meanwhile: (host: FakeHost) => void): boolean => {
    const host = store([record(ONE, [A])], [A]);
    prepare(host);
    const names = listNames(host, STORE).map(({ reference }) => reference);
    meanwhile(host);
    const taken = takeImage(host, STORE, record(ONE, [A]), names, `${TRASH}/${ONE}`);
    assert.equal(taken, findImage(host, STORE, ONE) === undefined);
    assert.equal(taken && listNames(host, STORE).length > 0, false);
    return !taken;
  };
  const named = (host: FakeHost): void => writeName(host, STORE, name, ONE);
  const nothing = (): void => undefined;
  assert.equal(kept(nothing, nothing), false);
  assert.equal(kept(named, nothing), false);
  assert.equal(kept(nothing, named), true);
  assert.equal(
    kept(named, host => writeName(host, STORE, 'localhost/other:1', ONE)),
    true,
  );
  assert.equal(
    kept(named, host => runs(host, ONE)),
    true,
  );
  assert.equal(
    kept(named, host => runs(host, TWO, { mountedImages: [ONE] })),
    true,
  );
  assert.equal(
    kept(named, host => runs(host, TWO)),
    false,
  );
});

test('nobody removes an image between its record and its name', async () => {
  const host = withBeside(store([], [A], { [`${STORE}/blobs/sha256/${TWO}`]: '' }));
  host.mkdirs(`${STORE}/locks`, 0o700);
  let taken: boolean | undefined;
  before(host, 'writeFileAtomic', `${STORE}/names/`, () => {
    taken = takeImage(host, STORE, record(ONE, [A]), [], `${TRASH}/${ONE}`);
  });
  const facts = record(ONE, [A]);
  assert.equal(
    await writeNamed(host, STORE, { id: ONE, configuration: '{}', facts, names: ['localhost/web:latest'] }),
    true,
  );
  assert.equal(taken, false);
  assert.equal(findImage(host, STORE, 'web')?.record.id, ONE);
  // A layer was taken before the record could name it: no name, and the caller brings it once more.
  assert.equal(
    await writeNamed(host, STORE, { id: TWO, configuration: '{}', facts: record(TWO, [B]), names: ['x/y:1'] }),
    false,
  );
  assert.deepEqual(
    listNames(host, STORE).map(({ reference }) => reference),
    ['localhost/web:latest'],
  );
});

test('a broken layer is not taken from a running container, whichever image it has it from, nor from a start', () => {
  const images = [record(ONE, [A, B]), record(TWO, [A, C])];
  const alive = (host: FakeHost): void => {
    host.mkdirs('/proc/77', 0o755);
    host.writeFile('/proc/77/stat', `77 (sleep) S${' 0'.repeat(18)} 1000 0`, 0o600);
  };
  const aside = (prepare: (host: FakeHost) => void, layer = A): string => {
    const host = store(images, [A, B, C]);
    prepare(host);
    try {
      takeAside(host, STORE, [layer], TRASH);
    } catch (error) {
      assert.equal(host.lstat(path(layer))?.kind, 'directory');
      return (error as Error).message;
    }
    assert.equal(host.lstat(path(layer)), undefined);
    assert.deepEqual([...host.files.locks.values()], layer === A ? [0, 0] : [0]);
    return '';
  };
  const running =
    (imageId: string, more = {}) =>
    (host: FakeHost): void => (runs(host, imageId, more), alive(host));
  assert.equal(
    aside(() => undefined),
    '',
  );
  assert.equal(aside(running(ONE)), 'used by web; stop it first');
  assert.equal(aside(running(TWO)), 'used by web; stop it first');
  assert.equal(aside(running('', { mountedImages: [TWO] })), 'used by web; stop it first');
  assert.equal(aside(running(ONE), C), '');
  // It has ended.
  assert.equal(
    aside(host => runs(host, TWO)),
    '',
  );
  assert.match(
    aside(host => void host.lock(`${STORE}/locks/image-${TWO}`, false, true)),
    /being started/,
  );
});
