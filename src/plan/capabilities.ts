import type { PlanContext } from './context.ts';
import { refuse } from './context.ts';
import type { SpecProcess } from './spec.ts';

/** linux/capability.h, by number. */
const ALL = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
)
  .split(' ')
  .map(name => `CAP_${name}`);

/** Podman's default set (containers.conf(5), default_capabilities). */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

export interface CapabilityPlan {
  /** Sorted: the bounding set, which the seccomp profile is chosen by. */
  readonly bounding: readonly string[];
  readonly sets: SpecProcess['capabilities'];
  /** The bounding set is the default one. */
  readonly isDefault: boolean;
}

/**
 * Root of the container gets the bounding set; another user gets nothing, or what --cap-add names. Inheritable and
 * ambient sets stay empty unless asked for by such a user (T11).
 */
export function planCapabilities(context: PlanContext, uid: number): CapabilityPlan {
  const { request } = context;
  const add = readNames(context, 'cap-add', request.capAdd);
  const drop = readNames(context, 'cap-drop', request.capDrop);
  const clash = [...add].find(name => name !== 'ALL' && drop.has(name));
  if (clash !== undefined)
    refuse(context, '--cap-add', `${clash} is both added and dropped`, 'leave one of the two out');
  refuseLacking(context, add);
  const bounding = request.privileged ? ALL : chooseBounding(add, drop);
  const isDefault =
    bounding.length === DEFAULT_CAPABILITIES.length && bounding.every((name, i) => name === DEFAULT_CAPABILITIES[i]);
  if (uid === 0)
    return {
      bounding,
      isDefault,
      sets: { bounding: [...bounding], effective: [...bounding], permitted: [...bounding] },
    };
  const asked = bounding.filter(name => add.has(name) || add.has('ALL'));
  if (asked.length === 0) return { bounding, isDefault, sets: { bounding: [...bounding] } };
  const sets = {
    bounding: [...bounding],
    effective: asked,
    inheritable: [...asked],
    permitted: [...asked],
    ambient: [...asked],
  };
  return { bounding, isDefault, sets };
}

/** What our own bounding set lacks only a new user namespace gives; run/sandbox.ts names the unit's option. */
function refuseLacking(context: PlanContext, add: ReadonlySet<string>): void {
  const { facts, request } = context;
  const { boundingSet } = facts;
  const { kind } = request.userns;
  if (boundingSet === undefined || facts.uid !== 0 || (kind !== 'default' && kind !== 'host')) return;
  const lacking = [...add].filter(name => name !== 'ALL' && !hasBit(boundingSet, ALL.indexOf(name)));
  if (lacking.length === 0) return;
  refuse(context, '--cap-add', `--cap-add ${lacking.join(',')}: the bounding set of this process lacks it`);
}

/** In hexadecimal digits: a number holds 53 bits alone. */
function hasBit(mask: string, bit: number): boolean {
  const digit = Number.parseInt(mask[mask.length - 1 - (bit >>> 2)] ?? '0', 16);
  return ((digit >>> (bit & 3)) & 1) === 1;
}

/** --cap-drop all, then what is added; --cap-add all, less what is dropped; else the default with both applied. */
function chooseBounding(add: ReadonlySet<string>, drop: ReadonlySet<string>): readonly string[] {
  if (add.size === 0 && drop.size === 0) return DEFAULT_CAPABILITIES;
  const base = drop.has('ALL') ? [] : add.has('ALL') ? ALL : DEFAULT_CAPABILITIES;
  const set = new Set(base);
  for (const name of drop) set.delete(name);
  for (const name of add) if (name !== 'ALL') set.add(name);
  if (drop.has('ALL') && add.has('ALL')) return [...ALL].sort();
  return [...set].sort();
}

function readNames(context: PlanContext, option: string, words: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const word of words) {
    const name = capabilityName(word);
    if (name !== undefined) names.add(name);
    else refuse(context, `--${option}`, `--${option} ${word}: there is no such capability`, 'see capabilities(7)');
  }
  return names;
}

/** As capabilities(7) writes it, or ALL; undefined: there is none. */
export function capabilityName(word: string): string | undefined {
  const upper = word.toUpperCase();
  const name = upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  return name === 'ALL' || ALL.includes(name) ? name : undefined;
}

/** The default bounding set. */
export function defaultCapabilities(): readonly string[] {
  return DEFAULT_CAPABILITIES;
}
