import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePlan } from '../../../src/plan/plan.ts';
import type { ImageRecord } from '../../../src/image/types.ts';
import { parse } from './helpers.ts';
import { accountFacts, image, plan, refusals, rootFacts } from './plan-helpers.ts';

/** Labels and annotations by which some container tool lets an image or a caller change how a container is confined or run. */
const KNOWN = [
  'io.podman.annotations.privileged',
  'io.podman.annotations.seccomp',
  'io.podman.annotations.apparmor',
  'io.podman.annotations.label',
  'io.podman.annotations.userns',
  'io.podman.annotations.init',
  'io.podman.annotations.autoremove',
  'io.podman.annotations.volumes-from',
  'io.podman.annotations.publish-all',
  'io.podman.annotations.cgroups-mode',
  'io.podman.annotations.pids-limit',
  'io.podman.annotations.cpuset',
  'io.podman.annotations.kube.health.check.port',
  'io.podman.annotations.container.type',
  'io.containers.capabilities',
  'io.containers.seccomp.profile',
  'io.containers.autoupdate',
  'io.containers.trace-syscall',
  'io.container.manager',
  'io.kubernetes.cri-o.userns-mode',
  'io.kubernetes.cri-o.Devices',
  'io.kubernetes.cri-o.ShmSize',
  'io.kubernetes.cri-o.UnifiedCgroup',
  'io.kubernetes.cri-o.umask',
  'io.kubernetes.cri-o.seccompNotifierAction',
  'io.kubernetes.cri-o.TrySkipVolumeSELinuxLabel',
  'io.kubernetes.cri.sandbox-id',
  'seccomp-profile.kubernetes.cri-o.io',
  'container.apparmor.security.beta.kubernetes.io/c1',
  'container.seccomp.security.alpha.kubernetes.io/c1',
  'cdi.k8s.io/vendor',
  'nri.containerd.io/x',
  'devices.nri.io/container.c1',
  'run.oci.handler',
  'run.oci.hooks.stdout',
  'run.oci.keep_original_groups',
  'run.oci.mount_context_type',
  'run.oci.pidfd_receiver',
  'run.oci.seccomp.receiver',
  'run.oci.seccomp.plugins',
  'run.oci.seccomp_fail_unknown_syscall',
  'run.oci.seccomp_bpf_data',
  'run.oci.systemd.force_cgroup_v1',
  'run.oci.systemd.subgroup',
  'run.oci.delegate-cgroup',
  'run.oci.timens_offset',
  'run.oci.mnt_label',
  'org.crun.intelrdt',
  'org.systemd.property.DeviceAllow',
  'org.systemd.property.Delegate',
  'org.criu.config',
  'org.opencontainers.runc.exec.isolated-cpu-affinity-transition',
  'org.opencontainers.image.stopSignal',
  'com.docker.security.seccomp',
  'com.github.containers.toolbox',
  'dev.gvisor.flag.network',
  'dev.gvisor.spec.mount.x.type',
  'io.katacontainers.config.hypervisor.path',
  'oci.runtime.youki.x',
  'io.berth.anything',
];

const VALUES = ['TRUE', 'unconfined', '/etc', 'ALL', '{"x":1}'];

test('T14: no label or annotation of an image changes the plan', () => {
  for (const facts of [rootFacts(), accountFacts()]) {
    const plain = plan([], facts);
    for (const value of VALUES) {
      const labels = Object.fromEntries(KNOWN.map(name => [name, value]));
      assert.deepEqual(plan([], facts, { labels }), plain);
    }
  }
});

test('T14: fields that an image configuration should not have are not looked at', () => {
  const hostile = {
    ...image().config,
    annotations: { 'io.podman.annotations.privileged': 'TRUE' },
    privileged: true,
    capAdd: ['ALL'],
    hostConfig: { Privileged: true, Binds: ['/:/host'] },
    networkMode: 'host',
    seccomp: 'unconfined',
    env: ['X=1'],
  };
  const record = { ...image(), annotations: { x: 'y' }, config: hostile } as ImageRecord;
  const made = makePlan({ request: parse([]), facts: rootFacts(), image: record });
  assert.deepEqual(made._unsafeUnwrap(), plan([]));
});

test('T15, T16: volumes of an image lead nowhere else', () => {
  const volumes = ['/../../etc', 'relative/../../x', '/proc', '/', '/sys'];
  const facts = rootFacts({
    volumes: {
      'anonymous:/../../etc': { path: '/v/1', fresh: true },
      'anonymous:relative/../../x': { path: '/v/2', fresh: true },
    },
  });
  const made = plan([], facts, { volumes });
  assert.deepEqual(
    made.copyUps.map(({ target }) => target),
    ['/etc', '/x'],
  );
  const targets = (made.spec.mounts ?? [])
    .filter(mount => mount.source?.startsWith('/v/'))
    .map(mount => mount.destination);
  assert.deepEqual(targets, ['/etc', '/x']);
});

test('T15: the working directory of an image leads nowhere else', () => {
  const cwd = (workingDirectory: string) => plan([], rootFacts(), { workingDirectory }).spec.process?.cwd;
  assert.deepEqual(['', '/', 'a/b', '/a/', '/../../etc', '../x'].map(cwd), ['/', '/', '/a/b', '/a', '/etc', '/x']);
});

test('a working directory that is asked for is not made, except below a mount', () => {
  const kept = (options: readonly (readonly [string, string])[]) => plan(options).keepCwd;
  assert.equal(plan([], rootFacts(), { workingDirectory: '/app' }).keepCwd, false);
  assert.equal(kept([['workdir', '/app']]), true);
  assert.equal(
    kept([
      ['workdir', '/app/sub'],
      ['tmpfs', '/app'],
    ]),
    false,
  );
  assert.equal(
    kept([
      ['workdir', '/application'],
      ['tmpfs', '/app'],
    ]),
    true,
  );
});

test('what no argument can hold is refused, wherever the image has it', () => {
  assert.match(refusals([], rootFacts(), { command: ['a\0b'] })[0] ?? '', /a word of the command holds a NUL byte/);
  assert.match(refusals([], rootFacts(), { environment: ['A=\0'] })[0] ?? '', /the variable A holds a NUL byte/);
  assert.match(refusals([], rootFacts(), { workingDirectory: '/a\0' })[0] ?? '', /working directory holds a NUL byte/);
});

test('a capability that is asked for and cannot be had is refused by name', () => {
  const asked = (name: string, more: readonly (readonly [string, string])[] = []) =>
    refusals([['cap-add', name], ...more], rootFacts({ boundingSet: '000001fffdffdfff', seccompProfile: '{}' }));
  assert.match(asked('net_raw')[0] ?? '', /--cap-add CAP_NET_RAW: the bounding set of this process lacks it/);
  assert.match(asked('CAP_SYS_TIME')[0] ?? '', /CAP_SYS_TIME/);
  for (const name of ['all', 'SYS_ADMIN', 'CAP_CHECKPOINT_RESTORE'])
    assert.ok(!asked(name).some(text => text.includes('bounding set')), name);
  assert.ok(!asked('net_raw', [['userns', 'auto']]).some(text => text.includes('bounding set')));
});

test('T11: inheritable and ambient sets are empty unless asked for', () => {
  const sets = (options: readonly (readonly [string, string])[]) =>
    plan(options, rootFacts({ seccompProfile: '{"defaultAction":"SCMP_ACT_ALLOW"}' })).spec.process?.capabilities ?? {};
  assert.deepEqual(Object.keys(sets([])), ['bounding', 'effective', 'permitted']);
  assert.deepEqual(Object.keys(sets([['cap-add', 'all']])), ['bounding', 'effective', 'permitted']);
  assert.deepEqual(Object.keys(sets([['user', '33']])), ['bounding']);
  const asked = sets([
    ['user', '33'],
    ['cap-add', 'NET_ADMIN'],
  ]);
  assert.deepEqual(
    [asked.ambient, asked.inheritable, asked.effective],
    [['CAP_NET_ADMIN'], ['CAP_NET_ADMIN'], ['CAP_NET_ADMIN']],
  );
});
