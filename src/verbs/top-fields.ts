import type { ProcessFacts } from './processes.ts';
import { goDuration } from './show.ts';

/** What the fields are made of, besides the process. */
export interface TopFacts {
  /** Seconds since the boot. */
  readonly uptime: number;
  readonly bootTime: number;
  /** Clock ticks in a second (sysconf _SC_CLK_TCK). */
  readonly ticks: number;
  /** Names by ids of the container, and its ids by those of the host. */
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
  readonly hostUsers: ReadonlyMap<number, string>;
  readonly hostGroups: ReadonlyMap<number, string>;
  readonly insideUid: (uid: number) => number;
  readonly insideGid: (gid: number) => number;
}

export interface TopField {
  readonly heading: string;
  /** Its letter after `%`, as in ps(1) of AIX. */
  readonly letter?: string;
  readonly value: (one: ProcessFacts, facts: TopFacts) => string;
}

/** podman-top(1), "FORMAT DESCRIPTORS". */
export const TOP_FIELDS: Readonly<Record<string, TopField>> = {
  args: { heading: 'COMMAND', letter: 'a', value: one => (one.words === '' ? `[${one.command}]` : one.words) },
  capamb: { heading: 'AMBIENT CAPS', value: one => capabilityNames(one.status['CapAmb']) },
  capbnd: { heading: 'BOUNDING CAPS', value: one => capabilityNames(one.status['CapBnd']) },
  capeff: { heading: 'EFFECTIVE CAPS', value: one => capabilityNames(one.status['CapEff']) },
  capinh: { heading: 'INHERITED CAPS', value: one => capabilityNames(one.status['CapInh']) },
  capprm: { heading: 'PERMITTED CAPS', value: one => capabilityNames(one.status['CapPrm']) },
  comm: { heading: 'COMMAND', letter: 'c', value: one => one.command },
  etime: { heading: 'ELAPSED', letter: 't', value: (one, facts) => goDuration(elapsed(one, facts)) },
  group: { heading: 'GROUP', letter: 'G', value: (one, facts) => groupName(facts, idOf(one, 'Gid', 1)) },
  groups: {
    heading: 'GROUPS',
    value: (one, facts) => listOf(one.status['Groups'], id => groupName(facts, id)),
  },
  hgroup: { heading: 'HGROUP', value: (one, facts) => nameOf(facts.hostGroups, idOf(one, 'Gid', 1)) },
  hgroups: {
    heading: 'HGROUPS',
    value: (one, facts) => listOf(one.status['Groups'], id => nameOf(facts.hostGroups, id)),
  },
  hpid: { heading: 'HPID', value: one => String(one.pid) },
  huser: { heading: 'HUSER', value: (one, facts) => nameOf(facts.hostUsers, idOf(one, 'Uid', 1)) },
  nice: { heading: 'NI', letter: 'n', value: one => one.stat[16] ?? '' },
  pcpu: {
    heading: '%CPU',
    letter: 'C',
    value: (one, facts) => ((cpuSeconds(one, facts) / Math.max(elapsed(one, facts), 0.001)) * 100).toFixed(3),
  },
  pgid: {
    heading: 'PGID',
    letter: 'r',
    value: one => (one.status['NSpgid'] ?? one.stat[2] ?? '').split(/\s+/).at(-1) ?? '',
  },
  pid: { heading: 'PID', letter: 'p', value: one => String(one.innerPid) },
  ppid: { heading: 'PPID', letter: 'P', value: one => String(one.innerParent) },
  rgroup: { heading: 'RGROUP', letter: 'g', value: (one, facts) => groupName(facts, idOf(one, 'Gid', 0)) },
  rss: { heading: 'RSS', value: one => (one.status['VmRSS'] ?? '0').split(' ')[0] ?? '0' },
  ruser: { heading: 'RUSER', letter: 'u', value: (one, facts) => userName(facts, idOf(one, 'Uid', 0)) },
  seccomp: { heading: 'SECCOMP', value: one => ['disabled', 'strict', 'filter'][Number(one.status['Seccomp'])] ?? '?' },
  state: { heading: 'STATE', value: one => one.stat[0] ?? '?' },
  stime: {
    heading: 'STIME',
    value: (one, facts) => new Date((facts.bootTime + startSeconds(one, facts)) * 1000).toISOString(),
  },
  time: { heading: 'TIME', letter: 'x', value: (one, facts) => goDuration(cpuSeconds(one, facts)) },
  tty: { heading: 'TTY', letter: 'y', value: one => terminalName(Number(one.stat[4] ?? 0)) },
  user: { heading: 'USER', letter: 'U', value: (one, facts) => userName(facts, idOf(one, 'Uid', 1)) },
  vsz: { heading: 'VSZ', letter: 'z', value: one => (one.status['VmSize'] ?? '0').split(' ')[0] ?? '0' },
};

/** What the peer shows without words. */
export const TOP_DEFAULT = ['user', 'pid', 'ppid', 'pcpu', 'etime', 'tty', 'time', 'args'];

/** Linux's capabilities in the order of their bits (capabilities(7)). */
const CAPABILITIES = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN ' +
  'NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME ' +
  'SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ ' +
  'PERFMON BPF CHECKPOINT_RESTORE'
).split(' ');

/** Of the hexadecimal number that status has: names in alphabetical order, `full`, or `none`. */
export function capabilityNames(hex = '0'): string {
  const bits = BigInt(`0x${hex}`);
  const names = CAPABILITIES.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n);
  if (names.length === 0) return 'none';
  return names.length === CAPABILITIES.length ? 'full' : names.sort().join(',');
}

function idOf(one: ProcessFacts, name: 'Uid' | 'Gid', column: number): number {
  return Number(one.status[name]?.split(/\s+/)[column] ?? -1);
}

function nameOf(names: ReadonlyMap<number, string>, id: number): string {
  return names.get(id) ?? String(id);
}

const userName = (facts: TopFacts, id: number): string => nameOf(facts.users, facts.insideUid(id));
const groupName = (facts: TopFacts, id: number): string => nameOf(facts.groups, facts.insideGid(id));

function listOf(text: string | undefined, name: (id: number) => string): string {
  const words = (text ?? '').split(/\s+/).filter(word => word !== '');
  return words.map(word => name(Number(word))).join(',');
}

const startSeconds = (one: ProcessFacts, facts: TopFacts): number => Number(one.stat[19]) / facts.ticks;
const elapsed = (one: ProcessFacts, facts: TopFacts): number => facts.uptime - startSeconds(one, facts);
const cpuSeconds = (one: ProcessFacts, facts: TopFacts): number =>
  (Number(one.stat[11]) + Number(one.stat[12])) / facts.ticks;

/** proc(5): bits 15 to 8 are the major number, 31 to 20 and 7 to 0 the minor; 136 and on are pseudo-terminals. */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${minor}`;
  return major === 4 ? `tty${minor}` : '?';
}
