import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { decodeBase64, encodeBase64 } from '../../../src/base/base64.ts';

const TEXTS = ['', 'a', 'ab', 'abc', 'abcd', 'me:se cret', '\0\x01\xfe\xff', '\xff'.repeat(61), 'user:p\xc3\xa4ss'];

test('base64 as Node has it, in both directions', () => {
  for (const bytes of TEXTS) {
    const text = Buffer.from(bytes, 'latin1').toString('base64');
    assert.equal(encodeBase64(bytes), text);
    assert.equal(decodeBase64(text), bytes);
  }
});

test('what Node takes for base64 is taken: without its end, in lines, in the alphabet of addresses', () => {
  for (const text of ['bWU', 'bW U6\nc2U=', '_-8', '_-8=', 'bWU=rest', '!!', 'b', ' bWU6']) {
    assert.equal(decodeBase64(text), Buffer.from(text, 'base64').toString('latin1'), text);
  }
});
