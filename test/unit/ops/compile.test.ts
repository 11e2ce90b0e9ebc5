import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeHost } from '../../../src/host/fake.ts';
import type { Host } from '../../../src/host/host.ts';
import { compileRun, listenDescriptors, type CompileInput } from '../../../src/ops/compile.ts';
import { printOps } from '../../../src/ops/print.ts';
import { escapeProgram } from '../../../src/ops/process.ts';
import type { Spec } from '../../../src/plan/spec.ts';
import { SPEC } from './spec.ts';

const PLAN: CompileInput = {
  spec: SPEC,
  root: {
    kind: 'overlay',
    lower: ['/l/top', '/l/base'],
    upper: '/c/upper',
    work: '/c/work',
    userxattr: true,
    volatile: true,
    context: '',
    idMapped: false,
    nodev: true,
  },
  copyUps: [{ path: '/vol', target: '/data', uid: 33, gid: 34, record: '/record' }],
  chowns: [{ path: '/vol', uid: 33, gid: 34 }],
  relabels: [{ path: '/vol', label: 'u:r:t:s0' }],
  init: true,
  defaultSeccomp: true,
};

const host = (environment: Record<string, string> = {}): Host =>
  fakeHost({
    environment,
    pid: 77,
    calls: {
      open: () => 50,
      defaultSeccomp: () => escapeProgram('\x06\0\0\0\0\0\xff\x7f'),
      compileSeccomp: (text: string) => text.slice(0, 8),
    },
  });

test('a whole start, in the order of its reasons', () => {
  const compiled = compileRun(host({ LISTEN_PID: '77', LISTEN_FDS: '2' }), PLAN, { bundle: '/b' });
  assert.equal(
    printOps(compiled.ops),
    `become-root
setns 0 40000000
unshare 2000000
sync created
hostname web
propagation / rslave
root-overlay /c/upper /c/work userxattr,volatile '' /l/top /l/base
check-root /dev /proc /sys
copy-up /vol /data 33 34 /record
chown-tree /vol 33 34
label-tree /vol u:r:t:s0
mount-host proc /proc nosuid,nodev,noexec,point
mount tmpfs tmpfs /dev nosuid,point mode=755
mount devpts devpts /dev/pts point newinstance
mount-host cgroup2 /sys/fs/cgroup ro,point
bind /vol /data rw,point,r,rprivate ''
bind /b/sub /relative ro,rslave,point ''
tmpfs-copyup /run '' nodev,point
mount tmpfs tmpfs /shm point size=1k
mount ext4 /dev/sda /disk ro,point ro
device /dev/fuse c 10 229 666 0 0
device /dev/null c 1 3 666 0 0
device /dev/zero c 1 5 666 0 0
device /dev/full c 1 7 666 0 0
device /dev/random c 1 8 666 0 0
device /dev/urandom c 1 9 666 0 0
device /dev/tty c 5 0 666 0 0
symlink /proc/self/fd /dev/fd
symlink /proc/self/fd/0 /dev/stdin
symlink /proc/self/fd/1 /dev/stdout
symlink /proc/self/fd/2 /dev/stderr
symlink /proc/kcore /dev/core
symlink pts/ptmx /dev/ptmx
session
sysctl net.ipv4.ip_forward 1
oom-score-adj 100
keyring _ses
label apparmor box
mkdir /srv 755 33 34
root-remount ro,nodev
remount /shm ro
pivot
mask /proc/kcore
read-only /proc/sys
cwd /srv 755 33 34
rlimit 7 1024 unlimited
umask 22
sync ready
capabilities 21 0 0 0 0
user 33 34 33 4
no-new-privileges
seccomp (1 instructions) log
environment PATH=/bin 'A=b c' LISTEN_PID=
listen 1 2
init
exec /bin sh -c true
`,
  );
  assert.deepEqual(compiled.descriptors, [50, 3, 4]);
  assert.deepEqual(compiled.opened, [50]);
});

test('a foreign bundle: a directory, a terminal, waiting for its start', () => {
  const spec: Spec = {
    ...SPEC,
    process: { ...SPEC.process!, terminal: true, cwd: '/', noNewPrivileges: false },
    mounts: [{ destination: '/dev', type: 'bind', source: '/dev', options: ['rbind'] }],
    linux: { namespaces: [{ type: 'mount' }, { type: 'network' }], rootfsPropagation: 'shared' },
  };
  const { ops, descriptors } = compileRun(
    host(),
    {
      ...PLAN,
      spec,
      root: { kind: 'directory', path: '/b/rootfs', idMapped: false, nodev: false },
      copyUps: [],
      chowns: [],
      init: false,
    },
    { bundle: '/b', awaitFd: 9, listen: [20], keepKeyring: true },
  );
  const text = printOps(ops);
  assert.match(
    text,
    /^loopback-up\nsync created\npropagation \/ rshared\npropagation \/ private\nroot-bind \/b\/rootfs r\n/,
  );
  assert.match(text, /pivot\npropagation \/ shared\ncwd \/ /);
  assert.match(
    printOps(compileRun(host(), { ...PLAN, keepCwd: true }, { bundle: '/b' }).ops),
    /pivot\n(mask .*\n|read-only .*\n)*cwd \/srv 0 33 34\n/,
  );
  assert.match(text, /sync ready\nawait 0\ncapabilities 21 0 0 0 0\nuser 33 34 33 4\nenvironment/);
  assert.match(text, /listen 1\nexec/);
  assert.match(text, /session\nconsole 33 -1\n/);
  assert.doesNotMatch(text, /device|symlink|seccomp|keyring|become-root|hostname|mkdir/);
  assert.deepEqual(descriptors, [9, 20]);
});

test('T10 without a cgroup namespace of its own the cgroup tree is read-only', () => {
  const spec: Spec = {
    ...SPEC,
    linux: { namespaces: [{ type: 'mount' }] },
    mounts: [{ destination: '/sys/fs/cgroup', type: 'cgroup', options: [] }],
  };
  assert.match(
    printOps(compileRun(host(), { ...PLAN, spec }, { bundle: '/b' }).ops),
    /^mount-host cgroup2 \/sys\/fs\/cgroup point,ro$/m,
  );
});

test('an id-mapped bind carries its maps', () => {
  const uidMappings = [
    { containerID: 0, hostID: 1000, size: 1 },
    { containerID: 5, hostID: 6, size: 7 },
  ];
  const gidMappings = [{ containerID: 0, hostID: 1, size: 2 }];
  const spec: Spec = {
    ...SPEC,
    mounts: [{ destination: '/i', type: 'bind', source: '/x', options: ['rbind', 'ridmap'], uidMappings, gidMappings }],
  };
  const text = printOps(compileRun(host(), { ...PLAN, spec }, { bundle: '/b' }).ops);
  assert.match(text, /^propagation \/ rslave\nid-map '0 1000 1,5 6 7;0 1 2'\nroot-overlay/m);
  assert.match(text, /^bind \/x \/i point,r,rprivate,ridmap 0$/m);
});

test('what cannot be done is said by name', () => {
  const run = (change: Partial<Spec>): unknown =>
    compileRun(host(), { ...PLAN, spec: { ...SPEC, ...change } }, { bundle: '/b' });
  assert.throws(() => run({ linux: { namespaces: [] } }), /without a mount namespace/);
  assert.throws(
    () => run({ linux: { namespaces: [{ type: 'mount', path: '/x' }] } }),
    /\/x: joining a mount namespace/,
  );
  assert.throws(
    () => run({ mounts: [{ destination: '/i', type: 'bind', source: '/x', options: ['idmap'] }] }),
    /\/i: an id-mapped mount needs uidMappings/,
  );
  assert.throws(
    () => run({ process: { ...SPEC.process!, rlimits: [{ type: 'RLIMIT_NONE', soft: 1, hard: 1 }] } }),
    /RLIMIT_NONE: there is no such limit/,
  );
});

test('T2 descriptors of another process are not passed on', () => {
  assert.deepEqual(listenDescriptors(host({ LISTEN_PID: '1', LISTEN_FDS: '2' })), []);
  assert.deepEqual(listenDescriptors(host({ LISTEN_PID: '77', LISTEN_FDS: 'x' })), []);
  assert.deepEqual(listenDescriptors(host({ LISTEN_FDS: '2' })), []);
  assert.deepEqual(listenDescriptors(host({ LISTEN_PID: '77', LISTEN_FDS: '1' })), [3]);
});
