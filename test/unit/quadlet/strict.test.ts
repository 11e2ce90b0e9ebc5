import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, translate } from './translate-helpers.ts';

const IMAGE = '[Container]\nImage=localhost/i\n';

test('where no failing units are wanted, a bad escape is a warning and leaves that assignment out, and an open quote ends there', () => {
  const text = `${IMAGE}Label=a=\\q\nLabel=b=1\nExec=sh "a b\n`;
  const result = translate({ 'u.container': text }, { asPeer: true }).get('u.container');
  assert.deepEqual(problemsOf(result), ['warning 3:9 quoting', 'warning 5:9 quoting']);
  assert.match(result?.text ?? '', /^ExecStart=.* --label b=1 localhost\/i sh "a b"$/m);
  assert.doesNotMatch(result?.text ?? '', /ExecStart=.*a=/);
  assert.equal(translate({ 'u.container': text }).get('u.container')?.failed, true);
});
