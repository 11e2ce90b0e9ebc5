import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERBS } from '../../../src/verbs/table.ts';
import { unknownVerb, verbIndex } from '../../../src/verbs/first-verb.ts';

test('the verb is the first word that no option in front of it takes', () => {
  const cases: readonly (readonly [line: string, verb: string | undefined])[] = [
    ['images', 'images'],
    ['--log-level debug images', 'images'],
    ['--log-level=debug images', 'images'],
    ['--config images pull x', 'pull'],
    ['create images', 'create'],
    ['-- images', 'images'],
    ['--log-level', undefined],
    ['', undefined],
  ];
  for (const [line, verb] of cases) {
    const words = line.split(' ').filter(word => word !== '');
    assert.equal(words[verbIndex(words)], verb, line);
  }
});

test('what the peer has and we have not says what to use', () => {
  assert.match(unknownVerb(['init', 'images']), /^init: no such verb; .*berth create/);
  assert.match(unknownVerb(['system', 'reset', '-f']), /^system reset: .*volume prune/);
  assert.equal(unknownVerb(['kube', 'play', 'x']), 'kube play: this version does not have this verb yet');
  assert.equal(unknownVerb(['constructor']), "constructor: no such verb; 'berth help' lists them");
  assert.equal(unknownVerb(['image', 'nosuch']), "image nosuch: no such verb; 'berth help image' lists them");
  assert.equal(unknownVerb([]), "no verb; 'berth help' lists them");
});

test('what is named there instead is a verb', () => {
  const names = new Set(VERBS.flatMap(row => [row.name, row.name.split(' ')[0] ?? '']));
  const tried = 'auto-update compose create generate init manifest mount unmount unshare system';
  for (const word of tried.split(' ')) {
    const line = unknownVerb([word, 'prune']);
    for (const [, verb = ''] of line.matchAll(/`berth ([a-z]+)/g)) assert.ok(names.has(verb), line);
  }
});
