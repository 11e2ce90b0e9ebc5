import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { unitNameOf } from '../../../src/verbs/unit-names.ts';
import { aState } from '../run/state-fixture.ts';

test('a name goes before the beginning of another id', () => {
  const container = (name: string, id: string): [string, string] => [
    `/run/berth/containers/${name}/state.json`,
    JSON.stringify(aState({ name, id: id.padEnd(64, '0'), unit: `${name}.service`, pid: 7, startTime: '1' })),
  ];
  const stat = `7 (x) S ${'0 '.repeat(18)}1`;
  const files = Object.fromEntries([container('b', 'c66'), container('c', 'b66'), ['/proc/7/stat', stat]]);
  const host = fakeHost({ files });
  assert.equal(unitNameOf(host, 'b'), 'b.service');
  assert.equal(unitNameOf(host, 'c'), 'c.service');
  assert.equal(unitNameOf(host, 'c66'), 'b.service');
});
