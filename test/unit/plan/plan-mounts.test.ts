import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlanFacts } from '../../../src/plan/types.ts';
import { accountFacts, plan, refusals, rootFacts } from './plan-helpers.ts';

type Options = readonly (readonly [string, string])[];

function mount(options: Options, target: string, facts?: PlanFacts): string | undefined {
  const found = plan(options, facts).spec.mounts?.find(one => one.destination === target);
  return found && `${found.type ?? ''} ${found.source ?? ''} ${(found.options ?? []).join(',')}`;
}

test('T10: the cgroup tree can be written only with a namespace of its own', () => {
  const writable = (options: Options): boolean => mount(options, '/sys/fs/cgroup')?.endsWith(',rw') === true;
  assert.equal(writable([]), false);
  assert.equal(writable([['systemd', 'always']]), true);
  assert.equal(writable([['security-opt', 'unmask=ALL']]), true);
  assert.equal(
    writable([
      ['systemd', 'always'],
      ['cgroupns', 'host'],
    ]),
    false,
  );
  assert.equal(
    writable([
      ['privileged', 'true'],
      ['cgroupns', 'host'],
    ]),
    false,
  );
});

test('T9: nothing is mounted over procfs', () => {
  const facts = rootFacts({ sources: { '/x': 'file' } });
  for (const target of ['/proc', '/proc/sys', '/proc/self/attr', '/sys']) {
    assert.match(refusals([['volume', `/x:${target}`]], facts)[0] ?? '', /hide what the confinement rests on/);
  }
  assert.equal(mount([['volume', '/x:/proc/uptime']], '/proc/uptime', facts), 'bind /x rw,rprivate,nodev,rbind');
});

test('SELinux: where payloads have labels, :z gives a volume that of all containers, :Z that of this one; elsewhere there is nothing to do', () => {
  const facts = (selinux: boolean) => rootFacts({ sources: { '/x': 'directory' }, selinux });
  const labels = (options: Options, given = facts(true)): string[] =>
    plan(options, given)
      .relabels.filter(({ path }) => path === '/x' || path === '/v')
      .map(({ label }) => label);
  const own = plan([], facts(true)).spec.linux.mountLabel ?? '';
  assert.match(own, /^system_u:object_r:container_file_t:s0:c\d+,c\d+$/);
  assert.deepEqual(labels([['volume', '/x:/y:z']]), ['system_u:object_r:container_file_t:s0']);
  assert.deepEqual(labels([['volume', '/x:/y:Z']]), [own]);
  assert.deepEqual(labels([['volume', '/x:/y']]), []);
  const more: Options = [
    ['security-opt', 'label=filetype:my_t'],
    ['security-opt', 'label=level:s0:c1,c2'],
  ];
  assert.deepEqual(labels([['volume', '/x:/y:z'], ...more]), ['system_u:object_r:my_t:s0']);
  assert.deepEqual(labels([['volume', '/x:/y:Z'], ...more]), ['system_u:object_r:my_t:s0:c1,c2']);
  for (const letter of ['z', 'Z']) {
    const asked = ['volume', `/x:/y:${letter}`] as const;
    assert.deepEqual(labels([asked], facts(false)), []);
    for (const open of ['security-opt label=disable', 'privileged true', 'pid host', 'ipc host']) {
      const [name = '', value = ''] = open.split(' ');
      assert.deepEqual(plan([asked, [name, value]], facts(true)).relabels, [], open);
    }
    assert.match(mount([asked], '/y', facts(true)) ?? '', /^bind \/x rw,/);
  }
  // A new volume is for all containers, one that is there stays as it is; our own files are for this one.
  const volumes = (unowned: boolean) => ({
    ...facts(true),
    volumes: { 'volume:v': { path: '/v', fresh: unowned, unowned } },
  });
  assert.deepEqual(labels([['volume', 'v:/y']], volumes(true)), ['system_u:object_r:container_file_t:s0']);
  assert.deepEqual(labels([['volume', 'v:/y:Z']], volumes(true)), [own]);
  assert.deepEqual(labels([['volume', 'v:/y']], volumes(false)), []);
  const files = plan([], facts(true)).relabels;
  assert.ok(files.some(({ path, label }) => path.endsWith('/hosts') && label === own));
});

test('SELinux: two containers have two levels, also of the same name in two accounts; those of a pod have one', () => {
  const facts = rootFacts({ selinux: true });
  const level = (options: Options, given = facts): string => plan(options, given).spec.linux.mountLabel ?? '';
  const names = Array.from({ length: 50 }, (_, index) => level([['name', `c${index}`]]));
  assert.equal(new Set(names).size, 50);
  assert.equal(level([['name', 'c7']]), names[7]);
  assert.notEqual(level([['name', 'c7']], accountFacts({ selinux: true })), names[7]);
});

test('volumes: missing sources, anonymous ones, the request before the image', () => {
  assert.match(refusals([['volume', '/none:/x']])[0] ?? '', /\/none: there is no such file or directory/);
  const volumes = { 'volume:v': { path: '/v', fresh: true }, 'anonymous:/a': { path: '/anon', fresh: false } };
  const facts = rootFacts({ volumes });
  assert.equal(mount([['volume', 'v:/x:nocopy']], '/x', facts), 'bind /v rw,rprivate,nosuid,nodev,rbind');
  assert.equal(mount([['volume', 'v:/x:dev,suid']], '/x', facts), 'bind /v dev,suid,rw,rprivate,rbind');
  assert.deepEqual(plan([['volume', 'v:/x:nocopy']], facts).copyUps, []);
  assert.deepEqual(plan([['volume', 'v:/x']], facts).copyUps, [
    { path: '/v', target: '/x', uid: -1, gid: -1, record: '' },
  ]);
  const both = plan([['volume', 'v:/a']], facts, { volumes: ['/a/'] }).spec.mounts?.filter(
    one => one.destination === '/a',
  );
  assert.deepEqual(
    both?.map(one => one.source),
    ['/v'],
  );
  assert.equal(plan([['image-volume', 'ignore']], facts, { volumes: ['/q'] }).copyUps.length, 0);
});

test('a bind of an account keeps its devices, one of root does not', () => {
  const sources = { '/x': 'directory' } as const;
  assert.equal(mount([['volume', '/x:/x']], '/x', accountFacts({ sources })), 'bind /x rw,rprivate,rbind');
  assert.equal(mount([['volume', '/x:/x']], '/x', rootFacts({ sources })), 'bind /x rw,rprivate,nodev,rbind');
  assert.equal(mount([['volume', '/x:/x:dev']], '/x', rootFacts({ sources })), 'bind /x dev,rw,rprivate,rbind');
});

test('devices: made for root, bound for an account, refused when absent', () => {
  const node = { path: '/dev/fuse', type: 'c', major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0 } as const;
  const devices = { '/dev/fuse': [node] };
  assert.equal(plan([['device', '/dev/fuse:/dev/x']], rootFacts({ devices })).spec.linux.devices?.[0]?.path, '/dev/x');
  assert.equal(
    mount([['device', '/dev/fuse']], '/dev/fuse', accountFacts({ devices })),
    'bind /dev/fuse slave,nosuid,noexec,rw,rbind',
  );
  assert.match(refusals([['device', '/dev/none']])[0] ?? '', /there is no such device/);
  assert.deepEqual(plan([['device', '-/dev/none']], rootFacts({ devices })).spec.linux.devices, undefined);
  assert.equal(plan([['device', '-/dev/fuse:/dev/x']], rootFacts({ devices })).spec.linux.devices?.[0]?.path, '/dev/x');
  // Root's program keeps the rule; an account has none.
  const narrow = plan([['device', '/dev/fuse:r']], rootFacts({ devices }));
  assert.deepEqual(narrow.warnings, []);
  assert.deepEqual(narrow.spec.linux.resources?.devices?.at(-1)?.access, 'r');
  assert.match(plan([['device', '/dev/fuse:r']], accountFacts({ devices })).warnings[0] ?? '', /not enforced/);
});

test('devices: a directory stands for its nodes, a link for the one it leads to', () => {
  const node = (path: string) => ({ path, type: 'c', major: 226, minor: 0, mode: 0o660, uid: 0, gid: 44 }) as const;
  const devices = {
    '/dev/dri': [node('/dev/dri/card0'), node('/dev/dri/renderD128')],
    '/dev/dri/card': [node('/dev/dri/card0')],
  };
  const paths = (value: string) =>
    plan([['device', value]], rootFacts({ devices })).spec.linux.devices?.map(one => one.path);
  assert.deepEqual(paths('/dev/dri:/dev/gpu'), ['/dev/gpu/card0', '/dev/gpu/renderD128']);
  assert.deepEqual(paths('/dev/dri/card'), ['/dev/dri/card']);
});

test('a user mount on /dev takes ours below it away', () => {
  const made = plan([['volume', '/dev:/dev']], accountFacts({ sources: { '/dev': 'directory' } }));
  const below = made.spec.mounts?.filter(one => one.destination.startsWith('/dev')).map(one => one.destination);
  assert.deepEqual(below, ['/dev']);
});

test('/dev/shm', () => {
  assert.equal(mount([['shm-size', '1m']], '/dev/shm'), 'tmpfs shm nosuid,noexec,nodev,mode=1777,size=1048576');
  assert.equal(mount([['ipc', 'none']], '/dev/shm'), undefined);
  assert.equal(mount([['ipc', 'host']], '/dev/shm'), 'bind /dev/shm bind,rprivate,nosuid,noexec,nodev');
});

test('an account on the network of others does not see /sys/kernel of the host', () => {
  const masked = (options: Options, facts: PlanFacts) =>
    plan(options, facts).spec.linux.maskedPaths?.includes('/sys/kernel');
  assert.equal(masked([['network', 'host']], accountFacts()), true);
  assert.equal(masked([['network', 'host']], rootFacts()), false);
  assert.equal(masked([], accountFacts()), false);
});

test('masked paths', () => {
  const paths = (value: string) => {
    const { linux } = plan([['security-opt', value]]).spec;
    return [linux.maskedPaths?.length, linux.readonlyPaths?.length];
  };
  assert.deepEqual(paths('mask=/x'), [12, 6]);
  assert.deepEqual(paths('unmask=ALL'), [0, 0]);
  assert.deepEqual(paths('unmask=/proc/*'), [3, 0]);
  assert.deepEqual(paths('unmask=/proc/kcore:/proc/sys'), [10, 5]);
  assert.deepEqual(paths('unmask=/sys/*'), [10, 6]);
});

test('T5: device nodes of an image open no device of the host', () => {
  assert.equal(plan([]).root.nodev, true);
  assert.equal(plan([], accountFacts()).root.nodev, true);
  assert.equal(plan([['rootfs', 'true']], rootFacts(), {}, ['/r', 'sh']).root.nodev, true);
  assert.equal(plan([['privileged', 'true']], rootFacts()).root.nodev, false);
});

test('a root without writable tmpfs has a read-only /dev', () => {
  const options = [
    ['read-only', 'true'],
    ['read-only-tmpfs', 'false'],
  ] as const;
  assert.match(mount(options, '/dev') ?? '', /,ro$/);
  assert.match(mount(options, '/dev/shm') ?? '', /,ro,/);
  assert.equal(mount(options, '/tmp'), undefined);
});

test('a read-only root has a writable layer for its mount points', () => {
  const { root, spec } = plan([['read-only', 'true']], rootFacts({ layers: ['/store/l1/fs'] }));
  assert.equal(root.kind === 'overlay' && root.upper, '/store/containers/c1/upper');
  assert.equal(spec.root.readonly, true);
});
