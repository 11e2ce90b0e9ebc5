import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBase64, encodeBase64 } from '../../../src/base/base64.ts';

/** RFC 4648, section 10; and bytes above 127. Also run where there is no Node to compare with. */
const VECTORS = [
  ['', ''],
  ['f', 'Zg=='],
  ['fo', 'Zm8='],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg=='],
  ['fooba', 'Zm9vYmE='],
  ['foobar', 'Zm9vYmFy'],
  ['\xfb\xff\0', '+/8A'],
] as const;

test('the vectors of RFC 4648', () => {
  for (const [bytes, text] of VECTORS) {
    assert.equal(encodeBase64(bytes), text);
    assert.equal(decodeBase64(text), bytes);
  }
});
