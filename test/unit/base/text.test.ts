import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeText, encodeText } from '../../../src/base/text.ts';

void test('text and bytes agree with the platform', () => {
  for (const text of ['', 'plain', 'äöü', '€ and 😀', '\u0000\u007f\u0080\u07ff\u0800\uffff', '𐀀\u{10ffff}']) {
    // UTF-8 by the platform: QuickJS has no Buffer.
    const bytes = encodeURIComponent(text).replace(/%(..)/g, (_, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    );
    assert.equal(encodeText(text), bytes);
    assert.equal(decodeText(bytes), text);
  }
});

void test('bytes that are no UTF-8 become replacement characters', () => {
  assert.equal(decodeText('a\xffb'), 'a\ufffdb');
  assert.equal(decodeText('\xc3\xa4\xc3'), 'ä\ufffd');
  assert.equal(decodeText('\xc0\xaf').includes('/'), false);
});

void test('a lone surrogate becomes a replacement character', () => {
  assert.equal(encodeText('\ud800x'), '\xef\xbf\xbdx');
});
