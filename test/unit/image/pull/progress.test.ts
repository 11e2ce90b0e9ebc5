import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../../src/host/fake.ts';
import type { Digest } from '../../../../src/image/types.ts';
import { makeProgress, type ProgressKind } from '../../../../src/image/pull/progress.ts';

test('what is tried again is the status of a unit, a passing line of a terminal, and nothing in a log', () => {
  const written = (kind: ProgressKind) => {
    const host = fakeHost({});
    const progress = makeProgress(host, kind, () => ({ rows: 24, columns: 80 }));
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

test('what is known already and comes again is a reason to wait longer, and no speed of the line', () => {
  let now = 1e9;
  const host = fakeHost({ calls: { now: () => (now += 0.5) } });
  const progress = makeProgress(host, 'report');
  const numbers = () => host.written.out.trimEnd().split('\n').map(parseFloat);
  const layer = { digest: `sha256:${'a'.repeat(64)}` as Digest, size: 5000 };
  progress.begin('localhost/app:1', [layer]);
  now += 2;
  progress.kept(layer.digest, 3000);
  assert.match(progress.state().text, /: layer 1\/1, 3\/5 kB$/);
  now += 2;
  progress.beat();
  now += 2;
  progress.bytes(layer.digest, 3500);
  now += 2;
  // Another's: for systemd, not for those who follow us.
  const { beat } = progress.state();
  progress.beat(true);
  assert.equal(progress.state().beat, beat);
  assert.deepEqual(numbers(), [0, 3000, 3001, 3501, 3502]);
});

test('a reason to wait longer is what arrives while we look, whoever brings it', () => {
  const host = fakeHost({});
  const progress = makeProgress(host, 'report');
  const reported = () =>
    host.written.out
      .trimEnd()
      .split('\n')
      .map(line => Number(line.split(' ')[0]));
  const [layer, other] = ['a', 'b'].map(letter => ({ digest: `sha256:${letter.repeat(64)}` as Digest, size: 100 }));
  assert.ok(layer !== undefined && other !== undefined);
  progress.others(700, 'an earlier one');
  progress.others(750, 'an earlier one');
  progress.begin('localhost/app:1', [layer, other]);
  progress.bytes(layer.digest, 10);
  progress.bytes(other.digest, 40, true);
  progress.layerDone(layer.digest);
  progress.bytes(other.digest, 55, true);
  assert.equal(progress.at(other.digest), 55);
  assert.match(progress.state().text, /layer 2\/2, 155\/200 B.*; another pull brings it$/);
  // Its puller died: it begins anew with us.
  progress.bytes(other.digest, 5);
  progress.bytes(other.digest, 25);
  assert.doesNotMatch(progress.state().text, /another pull/);
  progress.layerDone(other.digest);
  assert.deepEqual(reported(), [0, 50, 50, 60, 95]);
  assert.match(progress.state().text, /200\/200 B/);
});
