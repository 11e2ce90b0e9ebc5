import assert from 'node:assert/strict';
import test from 'node:test';
import { translate, valuesOf } from './translate-helpers.ts';

const MEMBER = '[Container]\nImage=localhost/i\nPod=p.pod\n';
const sliceOf = (pod: string, member: string): string[] =>
  valuesOf(translate({ 'p.pod': pod, 'u.container': member }).get('u.container')?.text ?? '', 'Service', 'Slice');

test('members lie in the slice of their pod, so that it limits the sum, unless they say otherwise', () => {
  const pod = '[Pod]\n[Service]\nSlice=shop.slice\n';
  assert.deepEqual(sliceOf(pod, MEMBER), ['shop.slice']);
  assert.deepEqual(sliceOf(pod, `${MEMBER}[Service]\nSlice=own.slice\n`), ['own.slice']);
  assert.deepEqual(sliceOf(pod, `${MEMBER}[Service]\nSlice=\n`), ['']);
  assert.deepEqual(sliceOf('[Pod]\n', MEMBER), []);
  assert.deepEqual(sliceOf('[Pod]\n[Service]\nSlice=%p.slice\n', MEMBER), []);
});
