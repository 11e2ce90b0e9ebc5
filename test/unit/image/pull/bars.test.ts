import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../../src/host/fake.ts';
import { barLine, liveLines } from '../../../../src/image/pull/bars.ts';

test('a bar is as long as there is room, and its amount is never cut', () => {
  const layer = { bytes: 5e6, size: 10e6 };
  assert.equal(barLine('0123456789ab', layer, 200), `0123456789ab [${'='.repeat(15)}${' '.repeat(15)}] 5/10 MB`);
  assert.equal(barLine('0123456789ab', layer, 40), `0123456789ab [${'='.repeat(8)}${' '.repeat(8)}] 5/10 MB`);
  assert.equal(barLine('0123456789ab', layer, 28), '0123456789ab 5/10 MB');
  assert.equal(barLine('a', { bytes: 0, size: 0 }, 80), `a [${'='.repeat(30)}] 0/0 B`);
});

test('lines fit the terminal, and those it has wrapped since are all cleared', () => {
  const host = fakeHost({});
  let size = { rows: 4, columns: 20 };
  const lines = liveLines(host, () => size);
  lines.draw(['a'.repeat(30), 'b', 'c', 'last']);
  assert.equal(host.written.err, `${'a'.repeat(19)}\nb\nlast\n`);
  size = { rows: 4, columns: 10 };
  lines.draw(['short']);
  assert.match(host.written.err, /\x1b\[4A\x1b\[Jshort\n$/);
  lines.clear();
  lines.clear();
  assert.match(host.written.err, /short\n\x1b\[1A\x1b\[J$/);
});
