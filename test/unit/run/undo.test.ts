import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeUndo } from '../../../src/run/undo.ts';

test('what was made last is taken back first, and an error does not stop the rest', () => {
  const undo = makeUndo();
  const order: string[] = [];
  undo.add('one', () => order.push('one'));
  undo.add('two', () => {
    order.push('two');
    throw new Error('stuck');
  });
  undo.add('three', () => order.push('three'));
  assert.deepEqual(undo.run(), ['two: stuck']);
  assert.deepEqual(order, ['three', 'two', 'one']);
  assert.deepEqual(undo.run(), []);
});

test('a finished start takes nothing back', () => {
  const undo = makeUndo();
  undo.add('one', () => assert.fail('taken back'));
  undo.forget();
  assert.deepEqual(undo.run(), []);
});
