import type { NamespaceType } from '../plan/spec.ts';

/** Numbers of Linux that config.json gives as names. */

/** capability.h: the index is the bit. */
const CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
];

const BITS: ReadonlyMap<string, number> = new Map(CAPABILITIES.map((name, bit) => [`CAP_${name}`, bit]));

/** The set as hexadecimal digits. A name that no kernel knows is left out (OCI runtime-spec, "capabilities"). */
export function capabilityMask(names: readonly string[] | undefined): string {
  let low = 0;
  let high = 0;
  for (const name of names ?? []) {
    const bit = BITS.get(name.toUpperCase());
    if (bit === undefined) continue;
    if (bit < 32) low = (low | (1 << bit)) >>> 0;
    else high = (high | (1 << (bit - 32))) >>> 0;
  }
  return high === 0 ? low.toString(16) : `${high.toString(16)}${low.toString(16).padStart(8, '0')}`;
}

/** asm-generic/resource.h. */
const LIMITS = [
  'CPU',
  'FSIZE',
  'DATA',
  'STACK',
  'CORE',
  'RSS',
  'NPROC',
  'NOFILE',
  'MEMLOCK',
  'AS',
  'LOCKS',
  'SIGPENDING',
  'MSGQUEUE',
  'NICE',
  'RTPRIO',
  'RTTIME',
];

/** Number of `RLIMIT_NAME`; undefined when there is none. */
export function limitNumber(name: string): number | undefined {
  const index = LIMITS.indexOf(name.replace(/^RLIMIT_/, ''));
  return index < 0 ? undefined : index;
}

/** The value of a limit: all bits set, as Go and C libraries write infinity, is `unlimited`. */
export function limitValue(value: number | string): string {
  const text = String(value);
  return text === '18446744073709551615' || text === '-1' || Number(text) >= 2 ** 63 ? 'unlimited' : text;
}

/** CLONE_NEW… of clone(2). */
export const NAMESPACE_BITS: Readonly<Record<NamespaceType, number>> = {
  user: 0x10000000,
  mount: 0x20000,
  pid: 0x20000000,
  network: 0x40000000,
  ipc: 0x8000000,
  uts: 0x4000000,
  cgroup: 0x2000000,
  time: 0x80,
};
