import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocument } from '../../../src/image/config.ts';
import { unpackLimit } from '../../../src/image/unpack-limit.ts';

test('T34 a layer has a limit of its own, and the layers of an image one together', () => {
  const limit = unpackLimit(40e6);
  assert.deepEqual(limit.words(1e6), [`bytes=${2 ** 30 + 200e6}`, 'entries=2000000']);
  assert.equal(limit.words(1e12)[0], `bytes=${2 ** 30 + 8e9}`);
  limit.count({ size: 8e9, entries: 1_500_000 });
  assert.equal(limit.words(1e6)[0], `bytes=${2 ** 30}`);
  assert.throws(
    () => limit.count({ size: 2 ** 30 + 1, entries: 1 }),
    /the image's layers unpack to more than the limit of 9073741824 bytes/,
  );
  assert.equal(unpackLimit(1e15).words(1e15)[0], `bytes=${64 * 2 ** 30}`);
});

test('T34 many small files count, too: ten million of them are refused over the layers of an image', () => {
  const limit = unpackLimit(40e6);
  limit.count({ size: 0, entries: 2_000_000 });
  limit.count({ size: 0, entries: 1_500_000 });
  assert.equal(limit.words(1e6)[1], 'entries=500000');
  assert.throws(
    () => limit.count({ size: 0, entries: 500_001 }),
    /the image's layers have more than the limit of 4000000 entries/,
  );
});

test('T34 a document that is nested deeper than any is refused, whatever its texts hold', () => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  assert.throws(
    () => parseDocument(nested(100), 'it'),
    /^Error: it is nested more than 100 deep$|it is nested more than 100 deep/,
  );
  assert.throws(() => parseDocument(nested(100_000), 'it'), /nested/);
  assert.ok(parseDocument(nested(99), 'it'));
  assert.ok(parseDocument(`{"a":"${'['.repeat(1000)}\\"${'{'.repeat(1000)}"}`, 'it'));
  assert.ok(parseDocument(`[${'{"a":[]},'.repeat(1000)}1]`, 'it'));
});
