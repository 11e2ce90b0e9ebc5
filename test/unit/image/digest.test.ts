import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestHex, digestName, parseDigest } from '../../../src/image/digest.ts';

const HEX = 'ab'.repeat(32);

test('T19 only sha256 and sha512 with all their digits are digests', () => {
  const good = [`sha256:${HEX}`, `sha512:${HEX}${HEX}`];
  for (const text of good) assert.equal(parseDigest(text), text);
  const bad = [
    '',
    HEX,
    'sha256:',
    `sha256:${HEX}0`,
    `sha256:${HEX.slice(1)}`,
    `sha256:${HEX.toUpperCase()}`,
    `sha256:../../${'a'.repeat(58)}`,
    `sha256:${HEX.slice(2)}/x`,
    `sha512:${HEX}`,
    `md5:${HEX}`,
    `sha256-${HEX}`,
    ` sha256:${HEX}`,
    `sha256:${HEX}\n`,
    undefined,
    17,
  ];
  for (const text of bad) assert.equal(parseDigest(text), undefined, String(text));
});

test('a digest names a directory by its parts', () => {
  const digest = parseDigest(`sha256:${HEX}`);
  assert.ok(digest);
  assert.equal(digestHex(digest), HEX);
  assert.equal(digestName(digest), `sha256-${HEX}`);
});
