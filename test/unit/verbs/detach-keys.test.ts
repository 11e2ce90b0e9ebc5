import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../src/run/failure.ts';
import { detachKeys, KeyWatch } from '../../../src/verbs/detach-keys.ts';

test('keys are letters and control characters', () => {
  assert.deepEqual(detachKeys('ctrl-p,ctrl-q'), [16, 17]);
  assert.deepEqual(detachKeys('a,ctrl-@,ctrl-\\'), [97, 0, 28]);
  assert.deepEqual(detachKeys(''), []);
  assert.throws(() => detachKeys('ctrl-1'), Failure);
  assert.throws(() => detachKeys('ctrl-p,'), Failure);
});

test('they count when they come one after the other', () => {
  const typed = (keys: number[], bytes: number[]): boolean => {
    const watch = new KeyWatch(keys);
    return bytes.some(byte => watch.completes(byte));
  };
  assert.equal(typed([16, 17], [16, 17]), true);
  assert.equal(typed([16, 17], [16, 16, 17]), true);
  assert.equal(typed([16, 17], [16, 97, 17]), false);
  assert.equal(typed([], [16, 17]), false);
});
