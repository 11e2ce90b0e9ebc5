import { parseJson } from '../base/json.ts';
import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import { printable } from './printable.ts';
import type { SpecSeccomp } from './spec.ts';

/**
 * The profile format of containers/common (pkg/seccomp, seccomp.json): OCI's, with rules that depend on capabilities,
 * architecture and kernel. A plain OCI object is a profile without conditions.
 */
interface Profile {
  readonly defaultAction?: unknown;
  readonly defaultErrnoRet?: unknown;
  readonly defaultErrno?: unknown;
  readonly architectures?: unknown;
  readonly archMap?: unknown;
  readonly flags?: unknown;
  readonly syscalls?: unknown;
}

interface Rule {
  readonly name?: string;
  readonly names?: readonly string[];
  readonly action?: string;
  readonly errnoRet?: number;
  readonly errno?: string;
  readonly args?: readonly { index: number; value: number; valueTwo?: number; op: string }[] | null;
  readonly includes?: Condition | null;
  readonly excludes?: Condition | null;
}

interface Condition {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

/** What the conditions of a profile are about. */
export interface SeccompSubject {
  /** The bounding set. */
  readonly capabilities: readonly string[];
  /** As Go names it. */
  readonly architecture: 'amd64' | 'arm64';
  readonly kernel: { readonly major: number; readonly minor: number };
}

const ARCHITECTURES = {
  amd64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
} as const;

/** errno(3) names that profiles use. */
const ERRNO: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EIO: 5,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EINVAL: 22,
  ENOSYS: 38,
  ENOTSUP: 95,
};

const ACTIONS = 'KILL KILL_PROCESS KILL_THREAD TRAP ERRNO TRACE ALLOW LOG NOTIFY'
  .split(' ')
  .map(name => `SCMP_ACT_${name}`);

/** Evaluates a profile (JSON text) for one container. `path` names it in problems. */
export function evaluateSeccomp(text: string, subject: SeccompSubject, path: string): Result<SpecSeccomp, Problem[]> {
  let profile: Profile;
  try {
    profile = parseJson(text) as Profile;
  } catch (error) {
    return wrong(path, `not JSON: ${error instanceof Error ? error.message : ''}`);
  }
  if (typeof profile !== 'object' || Array.isArray(profile) || (profile as unknown) === null)
    return wrong(path, 'not an object');
  const { defaultAction, syscalls = [] } = profile;
  if (typeof defaultAction !== 'string' || !ACTIONS.includes(defaultAction)) {
    return wrong(path, 'defaultAction is not an action of seccomp');
  }
  if (!Array.isArray(syscalls)) return wrong(path, 'syscalls is not a list');
  const out: SpecSeccomp = { defaultAction };
  const errno = errnoOf(profile.defaultErrnoRet, profile.defaultErrno);
  if (errno === 'unknown') return wrong(path, `defaultErrno ${String(profile.defaultErrno)} is not known`);
  if (errno !== undefined) out.defaultErrnoRet = errno;
  out.architectures = architecturesOf(profile, subject);
  if (Array.isArray(profile.flags)) out.flags = profile.flags.map(String);
  out.syscalls = [];
  for (const rule of syscalls as Rule[]) {
    if (!applies(rule, subject)) continue;
    const line = lineOf(rule);
    if (typeof line === 'string') return wrong(path, line);
    out.syscalls.push(line);
  }
  return ok(out);
}

function wrong(path: string, what: string): Result<never, Problem[]> {
  return err([
    problem('seccomp', printable(`${path}: the seccomp profile cannot be used: ${what}`), { key: '--security-opt' }),
  ]);
}

function errnoOf(number: unknown, name: unknown): number | undefined | 'unknown' {
  if (typeof name === 'string' && name !== '')
    return Object.hasOwn(ERRNO, name) ? ERRNO[name] : typeof number === 'number' ? number : 'unknown';
  return typeof number === 'number' ? number : undefined;
}

/** The map's line for our architecture; else the list as it is; else ours with those it runs too. */
function architecturesOf(profile: Profile, subject: SeccompSubject): string[] {
  const known = ARCHITECTURES[subject.architecture];
  if (Array.isArray(profile.archMap)) {
    for (const entry of profile.archMap as { architecture?: string; subArchitectures?: string[] }[]) {
      if (entry.architecture === known[0]) return [known[0], ...(entry.subArchitectures ?? [])];
    }
    return [known[0]];
  }
  return Array.isArray(profile.architectures) ? profile.architectures.map(String) : [...known];
}

function applies(rule: Rule, subject: SeccompSubject): boolean {
  const { includes, excludes } = rule;
  if (excludes) {
    if (excludes.arches?.includes(subject.architecture)) return false;
    if (excludes.caps?.some(name => subject.capabilities.includes(name))) return false;
    if (excludes.minKernel !== undefined && isAtLeast(subject.kernel, excludes.minKernel)) return false;
  }
  if (!includes) return true;
  if (includes.arches !== undefined && includes.arches.length > 0 && !includes.arches.includes(subject.architecture))
    return false;
  if (includes.caps?.some(name => !subject.capabilities.includes(name))) return false;
  return includes.minKernel === undefined || isAtLeast(subject.kernel, includes.minKernel);
}

function isAtLeast(kernel: SeccompSubject['kernel'], text: string): boolean {
  const [major = 0, minor = 0] = text.split('.').map(Number);
  return kernel.major > major || (kernel.major === major && kernel.minor >= minor);
}

type Line = NonNullable<SpecSeccomp['syscalls']>[number];

function lineOf(rule: Rule): Line | string {
  const names = rule.names ?? (rule.name === undefined ? [] : [rule.name]);
  const { action = '' } = rule;
  if (names.length === 0) return 'a rule names no system call';
  if (!ACTIONS.includes(action)) return `${names[0] ?? ''}: ${action} is not an action of seccomp`;
  const errno = errnoOf(rule.errnoRet, rule.errno);
  if (errno === 'unknown') return `${names[0] ?? ''}: errno ${rule.errno ?? ''} is not known`;
  const line: Line = { names: [...names], action };
  if (errno !== undefined) line.errnoRet = errno;
  if (rule.args && rule.args.length > 0) {
    line.args = rule.args.map(({ index, value, valueTwo, op }) =>
      valueTwo === undefined || valueTwo === 0 ? { index, value, op } : { index, value, valueTwo, op },
    );
  }
  return line;
}
