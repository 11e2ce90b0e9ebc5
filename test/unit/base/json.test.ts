import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../../src/base/json.ts';

/** UTF-8 bytes, one character per byte. */
/** UTF-8 by the platform: QuickJS has no Buffer. */
const bytes = (text: string): string =>
  encodeURIComponent(text).replace(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

void test('plain documents keep their bytes', () => {
  assert.deepEqual(parseJson(bytes('{"ä":["€","😀"],"n":1}')), { [bytes('ä')]: [bytes('€'), bytes('😀')], n: 1 });
});

void test('escapes become the bytes of their characters', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['\\u00e4', 'ä'],
    ['\\u20AC', '€'],
    ['\\ud83d\\ude00', '😀'],
    ['\\u0041\\n\\\\u00e4\\"', 'A\n\\u00e4"'],
    ['\\\\\\u00e4', '\\ä'],
    ['\\u007f\\u0080', '\u007f\u0080'],
    ['\\u0000', '\0'],
    ['\\ud83d', '\ufffd'],
    ['\\ude00\\ud83d', '\ufffd\ufffd'],
  ];
  for (const [escaped, text] of cases) assert.equal(parseJson(`"${escaped}"`), bytes(text), escaped);
});

void test('an escape makes no syntax of its own', () => {
  assert.deepEqual(parseJson('{"a":"\\u0022,\\u0022b\\u0022:\\u0022"}'), { a: '","b":"' });
  for (const bad of ['"\\u00', '"\\u00g0"', '{"\\u00e4"', '\\u00e4']) assert.throws(() => parseJson(bad), SyntaxError);
});

void test('what JSON.stringify makes of byte strings is read back', () => {
  const all = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
  assert.equal(parseJson(JSON.stringify(all)), all);
});
