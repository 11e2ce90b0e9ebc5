import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, translate, valuesOf } from './translate-helpers.ts';

const IMAGE = '[Container]\nImage=localhost/i\n';

test('a dependency that is taken back is not looked up, and breaks nothing', () => {
  const files = {
    'a.container': `[Unit]\nRequires=no.container bad.container\nAfter=no.container x.service\n${IMAGE}[Unit]\nRequires=\nAfter=\nAfter=y.service\n`,
    'bad.container': '[Container]\n',
  };
  const result = translate(files).get('a.container');
  assert.deepEqual(problemsOf(result), []);
  assert.deepEqual(valuesOf(result?.text ?? '', 'Unit', 'Requires'), ['']);
  assert.doesNotMatch(result?.text ?? '', /\.container .*\.container|^After=no/m);
  assert.ok(valuesOf(result?.text ?? '', 'Unit', 'After').includes('y.service'));
});
