import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost, type FakeHost } from '../../../src/host/fake.ts';
import { findImage, findImageId } from '../../../src/image/resolve.ts';

const STORE = '/store';
const ONE = '1'.repeat(64);
const TWO = `12${'2'.repeat(62)}`;
const LAYERS = ['a', 'b'].map(digit => `sha256:${digit.repeat(64)}`);
const MANIFEST = `sha256:${'e'.repeat(64)}`;

function record(id: string, more: object = {}): string {
  return JSON.stringify({
    version: 1,
    id,
    architecture: 'amd64',
    os: 'linux',
    created: '',
    layers: LAYERS,
    size: 1,
    config: {},
    ...more,
  });
}

function store(names: Record<string, string>, more: Record<string, string> = {}): FakeHost {
  const files: Record<string, string> = {
    [`${STORE}/images/${ONE}.json`]: record(ONE, { manifest: MANIFEST }),
    [`${STORE}/images/${TWO}.json`]: record(TWO),
    ...Object.fromEntries(LAYERS.map(layer => [`${STORE}/layers/${layer.replace(':', '-')}/fs/etc/passwd`, ''])),
    ...more,
  };
  for (const [name, id] of Object.entries(names)) files[`${STORE}/names/${name.replaceAll('/', '%2F')}`] = `${id}\n`;
  return fakeHost({ files });
}

test('a name gives the record and the layers, top first', () => {
  const found = findImage(store({ 'localhost/web:latest': ONE }), STORE, 'web');
  assert.equal(found?.record.id, ONE);
  assert.deepEqual(
    found.layers,
    [...LAYERS].reverse().map(layer => `${STORE}/layers/${layer.replace(':', '-')}/fs`),
  );
});

test('short names: localhost, then docker.io, then whatever ends so', () => {
  const both = { 'localhost/web:latest': ONE, 'docker.io/library/web:latest': TWO };
  assert.equal(findImageId(store(both), STORE, 'web'), ONE);
  assert.equal(findImageId(store({ 'docker.io/library/web:latest': TWO }), STORE, 'web'), TWO);
  assert.equal(findImageId(store({ 'quay.io/me/web:latest': TWO }), STORE, 'web'), TWO);
  assert.equal(findImageId(store({ 'quay.io/me/web:latest': TWO }), STORE, 'eb'), undefined);
  assert.equal(findImageId(store({ 'quay.io/me/web:1': TWO }), STORE, 'web'), undefined);
  assert.throws(
    () => findImageId(store({ 'quay.io/a/web:latest': ONE, 'quay.io/b/web:latest': TWO }), STORE, 'web'),
    /several images: quay.io\/a\/web:latest, quay/,
  );
});

test('a short name of which an alias says whose it is means that, unless localhost has it', () => {
  const file = '/etc/containers/registries.conf.d/a.conf';
  const aliases = { [file]: '[aliases]\n"web" = "quay.io/me/site"\n' };
  const host = (names: Record<string, string>, more = aliases): FakeHost => {
    const made = store(names, more);
    made.mkdir('/etc/containers/registries.conf.d', 0o755);
    return made;
  };
  const [own, docker] = [{ 'quay.io/me/site:1': ONE }, { 'docker.io/library/web:1': TWO }];
  assert.equal(findImageId(host(own), STORE, 'web:1'), ONE);
  assert.equal(findImageId(host({ ...own, ...docker }), STORE, 'web:1'), ONE);
  assert.equal(findImageId(host({ ...own, 'localhost/web:1': TWO }), STORE, 'web:1'), TWO);
  assert.equal(findImageId(host(own), STORE, 'web:2'), undefined);
  assert.equal(findImageId(host(docker, { [file]: '[aliases' }), STORE, 'web:1'), TWO);
});

test('ids, their beginnings, and manifest digests', () => {
  const host = store({ 'quay.io/me/web:1': ONE });
  assert.equal(findImageId(host, STORE, ONE), ONE);
  assert.equal(findImageId(host, STORE, `sha256:${TWO}`), TWO);
  assert.equal(findImageId(host, STORE, '1111'), ONE);
  assert.equal(findImageId(host, STORE, '12'), undefined);
  assert.equal(findImageId(host, STORE, '122'), TWO);
  assert.equal(findImageId(host, STORE, `quay.io/me/web@${MANIFEST}`), ONE);
  assert.equal(findImageId(host, STORE, `quay.io/me/web@sha256:${'d'.repeat(64)}`), undefined);
});

test('what is broken or half there counts as absent', () => {
  const name = { 'localhost/web:latest': ONE };
  const path = `${STORE}/images/${ONE}.json`;
  for (const text of [
    '',
    '{',
    'null',
    '{"version":1}',
    record(ONE, { layers: ['sha256:../../x'] }),
    record(ONE, { layers: [`sha256:${'c'.repeat(64)}`] }),
  ]) {
    assert.equal(findImage(store(name, { [path]: text }), STORE, 'web'), undefined, text.slice(0, 40));
  }
  assert.equal(findImageId(store({ 'localhost/web:latest': 'short' }), STORE, 'web'), undefined);
  assert.throws(
    () => findImage(store(name, { [path]: record(ONE, { version: 2 }) }), STORE, 'web'),
    /newer version of Berth/,
  );
});

test('T20 names cannot leave the store', () => {
  const host = store({});
  for (const word of ['../../etc/passwd', '..', '/etc/passwd', 'a/../b', '', '.', 'localhost/..:x'])
    assert.equal(findImage(host, STORE, word), undefined, word);
});
