import type { Spec } from '../../../src/plan/spec.ts';

/** A configuration with something of everything. */
export const SPEC: Spec = {
  ociVersion: '1.2.0',
  process: {
    user: { uid: 33, gid: 34, umask: 0o22, additionalGids: [33, 4] },
    args: ['sh', '-c', 'true'],
    env: ['PATH=/bin', 'A=b c'],
    cwd: '/srv',
    capabilities: { bounding: ['CAP_CHOWN', 'CAP_KILL'] },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 'unlimited' }],
    noNewPrivileges: true,
    oomScoreAdj: 100,
    apparmorProfile: 'box',
  },
  root: { path: '/b/rootfs', readonly: true },
  hostname: 'web',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'nodev', 'noexec'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'gid=5'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] },
    { destination: '/data', type: 'bind', source: '/vol', options: ['rbind', 'rw'] },
    { destination: 'relative', source: 'sub', options: ['bind', 'ro', 'rslave'] },
    { destination: '/run', type: 'tmpfs', options: ['tmpcopyup', 'nodev'] },
    { destination: '/shm', type: 'tmpfs', options: ['ro', 'size=1k'] },
    { destination: '/disk', type: 'ext4', source: '/dev/sda', options: ['ro'] },
  ],
  linux: {
    namespaces: [
      { type: 'pid' },
      { type: 'mount' },
      { type: 'user' },
      { type: 'uts' },
      { type: 'cgroup' },
      { type: 'network', path: '/run/netns/x' },
    ],
    uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
    gidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
    devices: [{ type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 }],
    sysctl: { 'net.ipv4.ip_forward': '1' },
    maskedPaths: ['/proc/kcore'],
    readonlyPaths: ['/proc/sys'],
    seccomp: { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_LOG'] },
  },
};
