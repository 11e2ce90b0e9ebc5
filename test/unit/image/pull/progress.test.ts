import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../../src/host/fake.ts';
import { makeProgress, type ProgressKind } from '../../../../src/image/pull/progress.ts';

test('what is tried again is the status of a unit, a passing line of a terminal, and nothing in a log', () => {
  const written = (kind: ProgressKind) => {
    const host = fakeHost({});
    const progress = makeProgress(host, kind);
    progress.waiting('refused; trying again in 1.0 s');
    progress.waiting('refused; trying again in 2.0 s');
    progress.end();
    return host.written;
  };
  assert.deepEqual(written('lines'), { out: '', err: '' });
  assert.deepEqual(written('none'), { out: '', err: '' });
  assert.match(written('report').out, /^0 refused; trying again in 1.0 s\n0 refused; trying again in 2.0 s\n$/);
  assert.equal(written('report').err, '');
  // Each line is drawn over the one before, and the end takes the last one away.
  assert.match(written('bars').err, /1\.0 s\n\x1b\[1A\x1b\[Jrefused; trying again in 2\.0 s\n\x1b\[1A\x1b\[J$/);
});
