import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import { compileRun } from '../../../src/ops/compile.ts';
import { printOps } from '../../../src/ops/print.ts';
import type { SpecIdMapping } from '../../../src/plan/spec.ts';
import type { Plan } from '../../../src/plan/types.ts';
import { accountFacts, plan, refusals, rootFacts } from '../plan/plan-helpers.ts';

const host = (uid: number) =>
  fakeHost({ uid, calls: { open: () => 50, defaultSeccomp: () => '\x06\x01\x02', compileSeccomp: () => '' } });

/** The list up to what every container has. */
function beginning(made: Plan, uid: number, nest?: { user: string; maps: string }): string {
  const place = nest === undefined ? { bundle: '/b' } : { bundle: '/b', nest };
  const text = printOps(compileRun(host(uid), { ...made, defaultSeccomp: true }, place).ops);
  return text.slice(0, text.indexOf('mount-host'));
}

const VOLUMES = {
  'volume:v': { path: '/s/volumes/v/_data', fresh: true, unowned: true, record: '/s/volumes/v' },
  'image:i': { path: '', fresh: false, lower: ['/s/layers/b/fs', '/s/layers/a/fs'] },
};

test('root: layers are mounted through the map, sources are taken before the user namespace is made', () => {
  const facts = rootFacts({ volumes: VOLUMES, sources: { '/src': 'directory' }, layers: ['/s/layers/a/fs'] });
  const options = [
    ['uidmap', '0:100000:1000'],
    ['user', '7:8'],
    ['volume', 'v:/v'],
    ['volume', '/src:/t:ro'],
    ['mount', 'type=image,source=i,target=/i'],
  ] as const;
  const text = beginning(plan(options, facts), 0);
  const maps = "'0 100000 1000;0 100000 1000'";
  const expected = [
    /^unshare 20000\nsync outside\npropagation \/ rslave\n/,
    new RegExp(`\\nid-map ${maps}\\nid-map-at /s/layers/a/fs 0\\nid-map-at /s/layers/b/fs 0\\n`),
    /\nchown-tree \/s\/c\/upper 100000 100000\n|\nchown-tree .*\/upper 100000 100000\n/,
    /\nroot-overlay .* detached '' \/s\/layers\/a\/fs\ncheck-root \/dev \/proc \/sys\n/,
    /\ncopy-up \/s\/volumes\/v\/_data \/v 100007 100008 \/s\/volumes\/v\n/,
    /\nkeep \/s\/volumes\/v\/_data '' '' [a-z,]+ ''\n/,
    /\nkeep-mount overlay overlay [a-z,]+ lowerdir=\/s\/layers\/b\/fs:\/s\/layers\/a\/fs ''\n/,
    new RegExp(`\\nnest ${maps}\\nunshare [0-9a-f]+\\n`),
    /\nfork\nsync created\nbecome-root\n/,
  ];
  for (const part of expected) assert.match(text, part);
  const rest = printOps(compileRun(host(0), { ...plan(options, facts), defaultSeccomp: true }, { bundle: '/b' }).ops);
  assert.match(rest, /\nroot-attach\n/);
  // As many are attached as were kept, each once.
  const kept = [...rest.matchAll(/^keep/gm)].length;
  const attached = [...rest.matchAll(/^attach (\d+) /gm)].map(found => Number(found[1]));
  assert.deepEqual(
    attached,
    Array.from({ length: kept }, (_, index) => index),
  );
  assert.doesNotMatch(rest, /^bind /m);
  assert.match(rest, /\nattach \d+ \/t point\n/);
});

test('a root directory is mounted through the map where that was said, layers beside it always', () => {
  const facts = rootFacts({ volumes: VOLUMES, layers: [] });
  const text = (root: string): string =>
    beginning(
      plan(
        [
          ['rootfs', 'true'],
          ['uidmap', '0:100000:1000'],
          ['mount', 'type=image,source=i,target=/i'],
        ],
        facts,
        {},
        [root, 'sh'],
      ),
      0,
    );
  const layers = ['a', 'b'].map(name => `id-map-at /s/layers/${name}/fs 0\n`);
  const mapped = text('/r:idmap');
  for (const line of ['id-map-at /r 0\n', ...layers]) assert.ok(mapped.includes(line), line);
  const plain = text('/r');
  for (const line of layers) assert.ok(plain.includes(line), line);
  assert.ok(!plain.includes('id-map-at /r'));
  assert.match(refusals([['rootfs', 'true']], accountFacts(), {}, ['/r:idmap', 'sh'])[0] ?? '', /only root can mount/);
});

test('an account is root outside; with networks it works below their namespace', () => {
  const made = plan([['userns', 'keep-id']], accountFacts());
  const maps = "'0 1 1000,1000 0 1,1001 1001 64536;0 1 1000,1000 0 1,1001 1001 64536'";
  const text = beginning(made, 1000);
  assert.match(text, /^become-root\nunshare 20000\nsync outside\npropagation \/ rslave\nchown-tree .*\/upper 1 1\n/);
  assert.match(text, /\nroot-overlay .* (userxattr,)?.*detached/);
  assert.ok(text.includes(`\nnest ${maps}\n`), text);
  assert.doesNotMatch(text, /id-map/);
  const nested = beginning(made, 1000, { user: '/proc/9/ns/user', maps: 'not used' });
  assert.match(nested, /^setns 0 10000000\nunshare 20000\nsync outside\n/);
  assert.ok(nested.includes(`\nnest ${maps}\n`), nested);
});

test('a namespace that is joined: root works outside, an account inside', () => {
  const uid: SpecIdMapping[] = [
    { containerID: 0, hostID: 100000, size: 1000 },
    { containerID: 1000, hostID: 1000, size: 1 },
  ];
  const joined = { joins: { 'user container:p': '/proc/9/ns/user' }, joinedMaps: { uid, gid: uid } };
  const root = beginning(plan([['userns', 'container:p']], rootFacts(joined)), 0);
  assert.match(root, /^unshare 20000\nsync outside\n/);
  assert.match(root, /\nsetns 0 10000000\nbecome-root\nunshare /);
  assert.doesNotMatch(root, /nest/);
  const account = beginning(plan([['userns', 'container:p']], accountFacts(joined)), 1000);
  assert.match(account, /^setns 0 10000000\nbecome-root\nunshare /);
  assert.match(account, /\nchown-tree .*\/upper 0 0\nroot-overlay /);
});
