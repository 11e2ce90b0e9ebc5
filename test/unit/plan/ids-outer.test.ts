import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlanFacts } from '../../../src/plan/types.ts';
import { accountFacts, plan, refusals, rootFacts } from './plan-helpers.ts';

type Options = readonly (readonly [string, string])[];
type Lines = readonly (readonly [inside: number, outside: number, count: number])[];

const ROOTFS: Options = [['rootfs', 'true']];

/** The map of uids (or gids) as lines. */
function map(
  options: Options,
  facts: PlanFacts = accountFacts(),
  side: 'uid' | 'gid' = 'uid',
  operands?: string[],
): Lines {
  const { linux } = plan(options, facts, {}, operands).spec;
  const lines = side === 'uid' ? linux.uidMappings : linux.gidMappings;
  return (lines ?? []).map(line => [line.containerID, line.hostID, line.size] as const);
}

const rootfs = (options: Options, facts?: PlanFacts, side?: 'uid' | 'gid'): Lines =>
  map([...ROOTFS, ...options], facts, side, ['/r', 'sh']);

test('nomap leaves the account out, auto takes the first free ids', () => {
  assert.deepEqual(map([['userns', 'nomap']]), [[0, 100000, 65536]]);
  const used = [{ start: 100500, count: 500 }];
  const ranges = [{ start: 100000, count: 65536 }];
  const auto = { uid: { ranges, used }, gid: { ranges, used: [] } };
  const facts = accountFacts({ auto, passwd: 'a:x:1500:7::/:\nnobody:x:65534:65534::/:\n', group: 'g:x:2:\n' });
  assert.deepEqual(map([['userns', 'auto']], facts), [[0, 101000, 1501]]);
  assert.deepEqual(map([['userns', 'auto']], facts, 'gid'), [[0, 100000, 1501]]);
  assert.deepEqual(map([['userns', 'auto:size=400']], facts), [[0, 100000, 400]]);
  assert.deepEqual(map([['userns', 'auto:size=3,uidmapping=1:500:1']], facts), [
    [0, 100000, 1],
    [1, 100499, 1],
    [2, 100001, 1],
  ]);
  for (const [size, why] of [
    [65530, 'other containers have them'],
    [70000, 'no range is so large'],
  ] as const)
    assert.match(
      refusals([['userns', `auto:size=${size}`]], facts)[0] ?? '',
      new RegExp(`no ${size} ids in a row are free in /etc/subuid; ${why}`),
    );
});

test('auto of root takes the ids of containers', () => {
  const some = { ranges: [{ start: 500000, count: 100000 }], used: [] };
  const facts = rootFacts({ auto: { uid: some, gid: some } });
  assert.deepEqual(map([['userns', 'auto:size=5000']], facts), [[0, 500000, 5000]]);
  const none = { ranges: [], used: [] };
  assert.match(
    refusals([['userns', 'auto']], rootFacts({ auto: { uid: none, gid: none } }))[0] ?? '',
    /\/etc\/subuid gives no ids to containers; add a line containers:/,
  );
});

test('what another map than that of the store means', () => {
  const kept = plan([['userns', 'keep-id']], accountFacts());
  assert.deepEqual(kept.outer?.uid, [
    { containerID: 0, hostID: 1, size: 1000 },
    { containerID: 1000, hostID: 0, size: 1 },
    { containerID: 1001, hostID: 1001, size: 64536 },
  ]);
  assert.equal(kept.outside, true);
  assert.equal(kept.root.kind === 'overlay' && kept.root.userxattr && !kept.root.idMapped, true);
  for (const facts of [accountFacts(), rootFacts()]) {
    const made = plan([], facts);
    assert.deepEqual([made.outer, made.outside], [undefined, false]);
  }
  assert.match(refusals([['uidmap', '5:0:10']], accountFacts())[0] ?? '', /uid 0 and gid 0 must be in it/);
});

test('root with maps mounts the layers through them, outside', () => {
  const options = [['uidmap', '0:100000:1000']] as const;
  assert.deepEqual(rootfs(options, rootFacts()), [[0, 100000, 1000]]);
  const made = plan(options, rootFacts());
  assert.equal(made.root.kind === 'overlay' && made.root.idMapped && !made.root.userxattr && made.outside, true);
  assert.deepEqual(map([['userns', 'keep-id']], rootFacts()), [[0, 0, 4294967295]]);
});
