import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  candidates,
  dockerReference,
  formatReference,
  localReference,
  parseReference,
} from '../../../src/image/reference.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

test('names are read and written in full', () => {
  const cases: [string, string, string][] = [
    ['busybox', 'localhost/busybox:latest', 'docker.io/library/busybox:latest'],
    ['busybox:1.36', 'localhost/busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['me/app', 'localhost/me/app:latest', 'docker.io/me/app:latest'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
    ['quay.io/a/b/c:v1', 'quay.io/a/b/c:v1', 'quay.io/a/b/c:v1'],
    ['registry:5000/x', 'registry:5000/x:latest', 'registry:5000/x:latest'],
    ['docker.io/busybox', 'docker.io/library/busybox:latest', 'docker.io/library/busybox:latest'],
    ['index.docker.io/busybox', 'docker.io/library/busybox:latest', 'docker.io/library/busybox:latest'],
    [`quay.io/a/b@${DIGEST}`, `quay.io/a/b@${DIGEST}`, `quay.io/a/b@${DIGEST}`],
    [`quay.io/a/b:tag@${DIGEST}`, `quay.io/a/b@${DIGEST}`, `quay.io/a/b@${DIGEST}`],
    ['[::1]:5000/x:y', '[::1]:5000/x:y', '[::1]:5000/x:y'],
  ];
  for (const [text, local, docker] of cases) {
    const parsed = parseReference(text);
    assert.ok(parsed, text);
    assert.equal(formatReference(localReference(parsed)), local);
    assert.equal(formatReference(dockerReference(parsed)), docker);
  }
});

test('T20 what is no name of an image is refused', () => {
  const bad = [
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    '../a',
    'a/../b',
    'Busybox',
    'a:',
    'a:tag/x',
    `a:${'t'.repeat(129)}`,
    'a b',
    'a\nb',
    'a@sha256:00',
    'a%2Fb',
    '-a',
    'a.',
    'x'.repeat(256),
    'registry:port/x',
  ];
  for (const text of bad) assert.equal(parseReference(text), undefined, JSON.stringify(text));
});

test('a short name means localhost first', () => {
  const parsed = parseReference('web');
  assert.ok(parsed);
  assert.deepEqual(candidates(parsed), ['localhost/web:latest', 'docker.io/library/web:latest']);
});
