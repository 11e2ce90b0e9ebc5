import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInProfile } from '../../../src/plan/built-in-seccomp.ts';
import { specText } from '../../../src/plan/spec-text.ts';
import type { PlanFacts } from '../../../src/plan/types.ts';
import { accountFacts, plan, refusals, rootFacts } from './plan-helpers.ts';

type Options = readonly (readonly [string, string])[];

const ALLOW = '{"defaultAction":"SCMP_ACT_ALLOW"}';

test('what runs: entrypoint and command', () => {
  const args = (options: Options, words: string[]) =>
    plan(options, rootFacts(), { entrypoint: ['/e'], command: ['c'] }, ['img', ...words]).spec.process?.args;
  assert.deepEqual(args([], []), ['/e', 'c']);
  assert.deepEqual(args([], ['x']), ['/e', 'x']);
  assert.deepEqual(args([['entrypoint', '/mine']], []), ['/mine']);
  assert.deepEqual(args([['entrypoint', '']], ['x', 'y']), ['x', 'y']);
  assert.deepEqual(refusals([['entrypoint', '']]), ['neither the image nor the command line says what to run']);
});

test('host name: asked for, the host\u2019s where its network or name is shared, else the container\u2019s', () => {
  const hostname = (...options: Options) => plan([['name', 'a_b'], ...options]).spec.hostname;
  assert.equal(hostname(), 'a-b');
  assert.equal(hostname(['network', 'host']), 'host');
  assert.equal(hostname(['network', 'host'], ['hostname', 'box']), 'box');
  assert.equal(hostname(['uts', 'host']), undefined);
});

test('T9: a label that the host cannot apply is refused', () => {
  assert.match(refusals([['security-opt', 'apparmor=web']])[0] ?? '', /AppArmor is not enabled/);
  assert.match(refusals([['security-opt', 'label=type:x_t']])[0] ?? '', /SELinux is not enabled/);
  assert.deepEqual(refusals([['security-opt', 'label=disable']]), []);
  const facts = rootFacts({ apparmor: true, selinux: true });
  const process = plan([['security-opt', 'apparmor=web']], facts).spec.process;
  assert.equal(process?.apparmorProfile, 'web');
  assert.match(process.selinuxLabel ?? '', /^system_u:system_r:container_t:s0:c\d+,c\d+$/);
});

test('sysctls only of namespaces that are the container\u2019s own', () => {
  assert.deepEqual(plan([['sysctl', 'net.x=1']]).spec.linux.sysctl, {
    'net.ipv4.ping_group_range': '0 0',
    'net.x': '1',
  });
  assert.match(refusals([['sysctl', 'vm.swappiness=1']])[0] ?? '', /no namespace holds this parameter/);
  assert.match(
    refusals([
      ['network', 'host'],
      ['sysctl', 'net.x=1'],
    ])[0] ?? '',
    /no network namespace of its own/,
  );
  assert.match(
    refusals([
      ['ipc', 'host'],
      ['sysctl', 'kernel.sem=1'],
    ])[0] ?? '',
    /no ipc namespace of its own/,
  );
  assert.equal(plan([['network', 'host']]).spec.linux.sysctl, undefined);
});

test('limits that cannot be kept are refused by name', () => {
  const few = accountFacts({ controllers: [] });
  assert.match(refusals([['memory', '1g']], few)[0] ?? '', /--memory: the memory controller is not available here/);
  assert.deepEqual(plan([], few).cgroup, []);
  assert.match(refusals([['cpuset-cpus', '0']], accountFacts())[0] ?? '', /the cpuset controller is not available/);
  assert.match(
    refusals([
      ['cgroups', 'disabled'],
      ['memory', '1g'],
    ])[0] ?? '',
    /--cgroups=disabled was given/,
  );
  const value = (options: Options, file: string) => plan(options).cgroup.find(limit => limit.file === file)?.value;
  assert.equal(
    value(
      [
        ['memory', '10m'],
        ['memory-swap', '-1'],
      ],
      'memory.swap.max',
    ),
    'max',
  );
  assert.equal(
    value(
      [
        ['memory', '10m'],
        ['memory-swap', '30m'],
      ],
      'memory.swap.max',
    ),
    '20971520',
  );
  assert.equal(value([['cpu-shares', '1024']], 'cpu.weight'), '39');
  assert.equal(value([['cpus', '1.5']], 'cpu.max'), '150000 100000');
  assert.equal(value([['pids-limit', '-1']], 'pids.max'), undefined);
});

test('stop signal: request, image, systemd, default', () => {
  assert.equal(plan([['stop-signal', 'INT']], rootFacts(), { stopSignal: 'QUIT' }).stopSignal, 2);
  assert.equal(plan([], rootFacts(), { stopSignal: 'SIGQUIT' }).stopSignal, 3);
  assert.equal(plan([], rootFacts(), { command: ['/sbin/init'] }).stopSignal, 37);
  const odd = plan([], rootFacts(), { stopSignal: 'WHAT' });
  assert.deepEqual([odd.stopSignal, odd.warnings.length], [15, 1]);
});

test('privileged', () => {
  const made = plan([['privileged', 'true']], rootFacts({ devices: { '/dev': [] } }));
  const { linux, process } = made.spec;
  assert.deepEqual(
    [linux.seccomp, linux.maskedPaths, linux.readonlyPaths, process?.capabilities?.bounding?.length],
    [undefined, [], [], 41],
  );
});

test('namespaces that are shared or joined', () => {
  const types = (options: Options, facts?: PlanFacts) =>
    plan(options, facts).spec.linux.namespaces?.map(n => n.type + (n.path ?? ''));
  assert.deepEqual(
    types([
      ['network', 'host'],
      ['pid', 'host'],
    ]),
    ['ipc', 'uts', 'mount', 'cgroup'],
  );
  const joins = { 'network container:web': '/proc/7/ns/net' };
  assert.ok(types([['network', 'container:web']], rootFacts({ joins }))?.includes('network/proc/7/ns/net'));
  assert.match(refusals([['network', 'container:web']])[0] ?? '', /there is no such running container/);
});

test('another runtime gets what it cannot find out itself', () => {
  const facts = accountFacts({ seccompProfile: ALLOW });
  const made = plan([['network', 'host']], facts);
  assert.equal(made.defaultSeccomp, true);
  const foreign = plan([['network', 'host']], facts).spec;
  assert.equal(foreign.mounts?.find(one => one.destination === '/sys')?.type, 'sysfs');
});

test('config.json has the whole default profile, and no limit as 2^64 - 1', () => {
  const made = plan([['ulimit', 'core=-1']]);
  const profile = '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}';
  const text = specText(made, profile);
  assert.ok(text.includes(`"seccomp":${profile}`));
  assert.ok(text.includes('"soft":18446744073709551615'));
  const spec = JSON.parse(text) as { linux: { seccomp: { syscalls: unknown[] } } };
  assert.equal(spec.linux.seccomp.syscalls.length, 1);
  // Without the text nothing is let through, rather than everything.
  assert.equal(
    (JSON.parse(specText(made, undefined)) as typeof made.spec).linux.seccomp?.defaultAction,
    'SCMP_ACT_ERRNO',
  );
});

test('seccomp: other capabilities need the profile, and say so when it is not there', () => {
  assert.match(refusals([['cap-add', 'sys_admin']])[0] ?? '', /seccomp.json: the seccomp profile cannot be read/);
  const made = plan([['cap-add', 'sys_admin']], rootFacts({ seccompProfile: ALLOW }));
  assert.deepEqual([made.defaultSeccomp, made.spec.linux.seccomp?.defaultAction], [false, 'SCMP_ACT_ALLOW']);
  for (const built of ['net_raw', 'chown', 'all']) assert.equal(plan([['cap-drop', built]]).defaultSeccomp, true);
  assert.deepEqual(
    [['CAP_SYS_CHROOT', 'CAP_NET_ADMIN'], ['CAP_CHOWN'], ['CAP_SYS_ADMIN'], ['CAP_BPF', 'CAP_SYS_CHROOT']].map(
      builtInProfile,
    ),
    [0, 1, undefined, undefined],
  );
  assert.match(
    refusals([['security-opt', 'seccomp=/x']], rootFacts({ seccompProfile: '{' }))[0] ?? '',
    /\/x: the seccomp profile cannot be used: not JSON/,
  );
});

test('capabilities: names are checked', () => {
  assert.match(refusals([['cap-add', 'bogus']])[0] ?? '', /--cap-add bogus: there is no such capability/);
  assert.match(
    refusals([
      ['cap-add', 'chown'],
      ['cap-drop', 'chown'],
    ])[0] ?? '',
    /both added and dropped/,
  );
});

test('all problems of a plan are told together', () => {
  assert.equal(
    refusals([
      ['user', 'x'],
      ['device', '/dev/none'],
      ['volume', '/none:/n'],
      ['sysctl', 'vm.a=1'],
    ]).length,
    4,
  );
});
