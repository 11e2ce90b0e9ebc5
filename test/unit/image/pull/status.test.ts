import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksRegistry, parsePolicy, toleratesFailure } from '../../../../src/image/pull/policy.ts';
import { amountText, labelOf, makeMeter, sizeWord, statusText, timeText } from '../../../../src/image/pull/status.ts';

const STATE = { label: 'app:1.2', layers: 7, layersDone: 2, total: 980e6, bytes: 412e6, rate: 9e6, others: false };

test('the status of a pull: layer, bytes, speed and what is left', () => {
  assert.equal(statusText(STATE), 'pulling app:1.2: layer 3/7, 412/980 MB, 9 MB/s, 1 min left');
  assert.match(statusText({ ...STATE, others: true }), /1 min left; another pull brings it$/);
});

test('the status says no time while nothing arrives, and none when all is there', () => {
  assert.equal(statusText({ ...STATE, rate: 0 }), 'pulling app:1.2: layer 3/7, 412/980 MB');
  assert.equal(statusText({ ...STATE, layersDone: 7, bytes: 980e6 }), 'pulling app:1.2: layer 7/7, 980/980 MB, 9 MB/s');
});

test('amounts are in the unit of the whole', () => {
  assert.equal(amountText(1_200, 34_000_000), '0/34 MB');
  assert.equal(amountText(1_200_000, 3_400_000), '1.2/3.4 MB');
  assert.equal(amountText(0, 0), '0/0 B');
  assert.equal(sizeWord(999), '999 B');
  assert.equal(sizeWord(50_000), '50 kB');
});

test('times for people', () => {
  assert.deepEqual([0.2, 59, 61, 3599, 7500].map(timeText), ['1 s', '59 s', '1 min', '1 h 0 min', '2 h 5 min']);
});

test('the label is the last part of the name', () => {
  assert.equal(labelOf('registry.example.com:5000/team/app:1.2'), 'app:1.2');
  assert.equal(labelOf('localhost/app:latest'), 'app:latest');
  assert.equal(labelOf(`localhost/app@sha256:${'ab'.repeat(32)}`), 'app@sha256:abababababab');
});

test('the meter forgets what is long ago', () => {
  const meter = makeMeter();
  assert.equal(meter.rate(0), 0);
  for (let second = 0; second < 10; second++) meter.count(1000, second);
  assert.ok(Math.abs(meter.rate(10) - 1000) < 200, String(meter.rate(10)));
  assert.equal(meter.rate(60), 0);
});

test('when a registry is asked', () => {
  assert.deepEqual(
    (['always', 'missing', 'never', 'newer'] as const).map(policy => [
      asksRegistry(policy, true),
      asksRegistry(policy, false),
    ]),
    [
      [true, true],
      [false, true],
      [false, false],
      [true, true],
    ],
  );
  assert.throws(() => parsePolicy('sometimes'), /--policy sometimes: not one of always, missing, never, newer/);
});

test('a failure stops a start only where no usable image is there, or where the registry has the word', () => {
  assert.equal(toleratesFailure('newer', true), true);
  assert.equal(toleratesFailure('missing', true), true);
  assert.equal(toleratesFailure('newer', false), false);
  assert.equal(toleratesFailure('always', true), false);
});
