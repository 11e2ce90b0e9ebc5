import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isName } from '../../../src/run/containers.ts';

test('T20: only names that cannot lead out of a directory are names', () => {
  for (const good of ['web', 'systemd-web', 'a.b_c-1', '0', 'x'.repeat(255)]) assert.equal(isName(good), true, good);
  for (const bad of ['', '.', '..', '../x', '-x', '.x', 'a/b', 'a b', 'a\n', 'a\0', 'x'.repeat(256), '\xe4']) {
    assert.equal(isName(bad), false, JSON.stringify(bad));
  }
});
