import assert from 'node:assert/strict';
import { test } from 'node:test';
import { without } from '../../../src/plan/id-maps.ts';
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

test('root has no user namespace, an account the default map', () => {
  assert.deepEqual(map([], rootFacts()), []);
  const lines: Lines = [
    [0, 1000, 1],
    [1, 100000, 65536],
  ];
  assert.deepEqual(map([]), lines);
  assert.deepEqual(map([['userns', 'host']]), lines);
});

test('several ranges follow each other', () => {
  const subUids = [
    { start: 500000, count: 10 },
    { start: 100000, count: 65536 },
  ];
  assert.deepEqual(map([], accountFacts({ subUids })), [
    [0, 1000, 1],
    [1, 500000, 10],
    [11, 100000, 65536],
  ]);
});

test('keep-id moves the ids below the kept one up by one, as Podman 5.4 does', () => {
  assert.deepEqual(map([['userns', 'keep-id']]), [
    [0, 100000, 1000],
    [1000, 1000, 1],
    [1001, 101000, 64536],
  ]);
  assert.deepEqual(map([['userns', 'keep-id:uid=33,gid=0']]), [
    [0, 100000, 33],
    [33, 1000, 1],
    [34, 100033, 65503],
  ]);
  assert.deepEqual(map([['userns', 'keep-id:uid=33,gid=0']], accountFacts(), 'gid'), [
    [0, 1000, 1],
    [1, 100000, 65536],
  ]);
  assert.deepEqual(map([['userns', 'keep-id:size=2000']]), [
    [0, 100000, 1000],
    [1000, 1000, 1],
    [1001, 101000, 999],
  ]);
});

test('keep-id of an id above all ranges', () => {
  const facts = accountFacts({ uid: 70000, gid: 70000 });
  assert.deepEqual(map([['userns', 'keep-id']], facts), [
    [0, 100000, 65536],
    [70000, 70000, 1],
  ]);
});

test('every id of a keep-id map is used once on each side', () => {
  for (const kept of [0, 1, 2, 33, 65535, 65536, 65537, 4294967294]) {
    const lines = map([['userns', `keep-id:uid=${kept},gid=0`]]);
    assert.equal(
      lines.reduce((sum, line) => sum + line[2], 0),
      65537,
      String(kept),
    );
    for (const [i, a] of lines.entries()) {
      for (const b of lines.slice(i + 1)) {
        assert.ok(a[0] + a[2] <= b[0] || b[0] + b[2] <= a[0], `inside ${kept}`);
        assert.ok(a[1] + a[2] <= b[1] || b[1] + b[2] <= a[1], `outside ${kept}`);
      }
    }
  }
});

test('the kept user runs the payload; --user is stronger', () => {
  const user = (options: Options) => plan(options, accountFacts(), { user: 'www' }).spec.process?.user;
  assert.deepEqual(user([['userns', 'keep-id']]), { uid: 1000, gid: 1000, umask: 18, additionalGids: [1000] });
  assert.equal(
    user([
      ['userns', 'keep-id'],
      ['user', 'www'],
    ])?.uid,
    33,
  );
  assert.equal(user([])?.uid, 33);
});

test('explicit maps: as Podman 5.4 composes them', () => {
  const lines = rootfs([
    ['uidmap', '+5:@100003:2'],
    ['uidmap', '9:100:3'],
  ]);
  assert.deepEqual(lines, [
    [0, 1000, 1],
    [1, 100000, 3],
    [4, 100005, 1],
    [5, 100003, 2],
    [7, 100006, 2],
    [9, 100099, 3],
    [12, 100008, 91],
    [103, 100102, 65434],
  ]);
  assert.deepEqual(
    rootfs(
      [
        ['uidmap', '0:0:10'],
        ['uidmap', '+100000:5'],
      ],
      accountFacts(),
    ),
    [
      [0, 1000, 1],
      [1, 100000, 4],
      [6, 100005, 4],
      [100000, 100004, 1],
    ],
  );
});

test('one of --uidmap and --gidmap stands for both, but for u and g', () => {
  assert.deepEqual(rootfs([['gidmap', '0:0:10']]), [
    [0, 1000, 1],
    [1, 100000, 9],
  ]);
  const options = [['gidmap', '+g100000:@100004']] as const;
  assert.deepEqual(rootfs(options), [
    [0, 1000, 1],
    [1, 100000, 65536],
  ]);
  assert.deepEqual(rootfs(options, accountFacts(), 'gid'), [
    [0, 1000, 1],
    [1, 100000, 4],
    [5, 100005, 65531],
    [100000, 100004, 1],
  ]);
});

test('an account without subordinate ids can map its own id by name', () => {
  const facts = accountFacts({ subUids: [], subGids: [], idMapHelpers: false });
  assert.deepEqual(rootfs([['uidmap', '0:0:1']], facts), [[0, 1000, 1]]);
});

test('DynamicUser= gets along with its own id', () => {
  const facts = accountFacts({ uid: 61500, gid: 61500, userName: 'web', subUids: [], subGids: [] });
  assert.deepEqual(map([], facts), [[0, 61500, 1]]);
  assert.match(
    refusals([], facts, { user: 'www' })[0] ?? '',
    /the image's user: uid 33 is not mapped into the container/,
  );
  const pts = plan([], facts).spec.mounts?.find(mount => mount.destination === '/dev/pts');
  assert.ok(pts?.options?.every(option => option !== 'gid=5'));
});

const NO: readonly (readonly [string, Options, PlanFacts, RegExp])[] = [
  [
    'no subordinate ids',
    [],
    accountFacts({ subUids: [], subGids: [] }),
    /alice has no subordinate ids in \/etc\/subuid/,
  ],
  ['no subordinate gids', [], accountFacts({ subGids: [] }), /alice has no subordinate ids in \/etc\/subgid/],
  [
    'no newuidmap',
    [],
    accountFacts({ idMapHelpers: false, idMapProblem: 'newuidmap is not there' }),
    /cannot be mapped: newuidmap is not there/,
  ],
  ['an id that is not ours', [['uidmap', '0:@5:1']], accountFacts(), /the host's id 5 is not one of this account's/],
  ['host id 0', [['uidmap', '0:@0:1']], accountFacts(), /the host's id 0 is not one of this account's/],
  ['too many ids', [['uidmap', '0:0:100000']], accountFacts(), /uid 65537 is not one of the 65537 ids of alice/],
  [
    'overlap',
    [
      ['uidmap', '0:0:10'],
      ['uidmap', '5:100:1'],
    ],
    accountFacts(),
    /two lines overlap/,
  ],
  ['another name', [['subuidname', 'bob']], accountFacts(), /an account can use its own ids alone/],
  ['T13: a user outside the map', [['user', '70000']], accountFacts(), /--user: uid 70000 is not mapped/],
  ['T13: a group outside the map', [['user', '0:70000']], accountFacts(), /--user: gid 70000 is not mapped/],
  ['T13: an image user outside', [['user', 'bad']], accountFacts(), /there is no such user/],
  ['nobody is joined', [['userns', 'container:x']], accountFacts(), /there is no such user namespace/],
];

test('maps that cannot be are refused by name', () => {
  for (const [name, options, facts, message] of NO) assert.match(refusals(options, facts)[0] ?? '', message, name);
});

test('taking a piece out of a map', () => {
  const line = [{ containerID: 10, hostID: 100, size: 10 }];
  const cut = (start: number, size: number): Lines =>
    without(line, 'containerID', start, size).map(l => [l.containerID, l.hostID, l.size] as const);
  assert.deepEqual(cut(0, 5), [[10, 100, 10]]);
  assert.deepEqual(cut(20, 5), [[10, 100, 10]]);
  assert.deepEqual(cut(0, 15), [[15, 105, 5]]);
  assert.deepEqual(cut(15, 15), [[10, 100, 5]]);
  assert.deepEqual(cut(12, 3), [
    [10, 100, 2],
    [15, 105, 5],
  ]);
  assert.deepEqual(cut(5, 50), []);
});
