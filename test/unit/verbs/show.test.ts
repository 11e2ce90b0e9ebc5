import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goDuration, shortSize } from '../../../src/verbs/show.ts';
import { capabilityNames } from '../../../src/verbs/top-fields.ts';

test('durations are written as Go writes them', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [1e-9, '1ns'],
    [0.000_002_5, '2.5\xc2\xb5s'],
    [0.009443, '9.443ms'],
    [1, '1s'],
    [2.355488684, '2.355488684s'],
    [62.5, '1m2.5s'],
    [3600, '1h0m0s'],
    [90_061.25, '25h1m1.25s'],
  ];
  for (const [seconds, text] of cases) assert.equal(goDuration(seconds), text);
});

test('sizes have decimal units', () => {
  assert.equal(shortSize(0), '0B');
  assert.equal(shortSize(10_800), '10.8kB');
  assert.equal(shortSize(25_270_000_000, 4), '25.27GB');
});

test('capabilities have names; all and none of them have one word', () => {
  assert.equal(capabilityNames('0'), 'none');
  assert.equal(capabilityNames('1ffffffffff'), 'full');
  assert.equal(capabilityNames('3'), 'CHOWN,DAC_OVERRIDE');
});
