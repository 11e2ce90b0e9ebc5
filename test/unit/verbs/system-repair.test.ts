import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { takeInventory } from '../../../src/image/collect.ts';
import type { Digest } from '../../../src/image/types.ts';
import { sourceOf } from '../../../src/verbs/system-repair.ts';

const STORE = '/store';
const ID = '1'.repeat(64);
const MANIFEST = `sha256:${'a'.repeat(64)}` as Digest;
const INDEX = `sha256:${'b'.repeat(64)}`;
const escaped = (name: string): string => name.replaceAll('/', '%2F');

/** Where an image with these names is fetched from again. */
function source(names: readonly string[], manifest?: Digest, pulled: readonly string[] = []): unknown {
  const record = { version: 1, id: ID, os: 'linux', architecture: 'arm64', layers: [], config: {}, manifest };
  const note = JSON.stringify({ version: 1, image: ID, digest: INDEX, time: 0 });
  const host = fakeHost({
    files: {
      [`${STORE}/images/${ID}.json`]: JSON.stringify(record),
      ...Object.fromEntries(names.map(name => [`${STORE}/names/${escaped(name)}`, `${ID}\n`])),
      ...Object.fromEntries(pulled.map(name => [`${STORE}/pulled/${escaped(name)}`, note])),
    },
  });
  return sourceOf(host, STORE, takeInventory(host, STORE), ID);
}

const from = (repository: string, guessed: boolean): object => ({
  reference: `${repository}@${MANIFEST}`,
  platform: { os: 'linux', architecture: 'arm64' },
  guessed,
});

test('what was never pulled is fetched by its manifest from the registry that a name of it has', () => {
  assert.deepEqual(source(['registry.example/web:1'], MANIFEST), from('registry.example/web', true));
  const local = ['a/b:1', 'localhost/web:latest'];
  assert.deepEqual(source([...local, 'localhost:5000/x/web:1'], MANIFEST), from('localhost:5000/x/web', true));
  assert.equal(source(local, MANIFEST), undefined);
  assert.equal(source([], MANIFEST), undefined);
  // Without the digest the name could mean anything by now.
  assert.equal(source(['registry.example/web:1']), undefined);
});

test('the name that it was pulled under comes first', () => {
  const names = ['a.example/web:1', 'b.example/web:1'];
  assert.deepEqual(source(names, MANIFEST, ['b.example/web:1']), from('b.example/web', false));
});
