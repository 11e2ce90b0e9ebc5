import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '../../../src/base/hash.ts';

test('the hash is FNV-1a with 64 bits, as the published vectors have it', () => {
  assert.equal(hashOf(''), 'cbf29ce484222325');
  assert.equal(hashOf('a'), 'af63dc4c8601ec8c');
  assert.equal(hashOf('foobar'), '85944171f73967e8');
});

test('bytes from 0x80 up count as their UTF-8', () => {
  assert.notEqual(hashOf('\xe9'), hashOf('\xe8'));
  assert.match(hashOf('\xff\x80'), /^[0-9a-f]{16}$/);
});
