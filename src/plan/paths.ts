import type { PlanContext } from './context.ts';

/** Podman 5.4 (containers/common pkg/config, podman-run(1) on unmask). */
const MASKED: readonly string[] = [
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  '/sys/fs/selinux',
];

const READ_ONLY: readonly string[] = [
  '/proc/asound',
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** Paths that are covered, and paths that are made read-only; --unmask takes away, --mask adds. */
export function planPaths(context: PlanContext): { masked: string[]; readOnly: string[] } {
  const { request } = context;
  if (request.privileged) return { masked: [...request.mask], readOnly: [] };
  const keep = (path: string): boolean => !isUnmasked(request.unmask, path);
  const all = request.unmask.length === 0;
  const masked = all ? [...MASKED] : MASKED.filter(keep);
  const readOnly = all ? [...READ_ONLY] : READ_ONLY.filter(keep);
  for (const path of request.mask) if (!masked.includes(path)) masked.push(path);
  return { masked, readOnly };
}

/** Whether a path is named by --unmask: `ALL`, itself, or a pattern with `*` and `?`, which stop at slashes. */
export function isUnmasked(unmask: readonly string[], path: string): boolean {
  return unmask.some(pattern => pattern === 'ALL' || pattern === path || matches(pattern, path));
}

function matches(pattern: string, path: string): boolean {
  if (!pattern.includes('*') && !pattern.includes('?')) return false;
  let star = -1;
  let mark = 0;
  let p = 0;
  let s = 0;
  while (s < path.length) {
    const c = pattern[p];
    if (c === path[s] || (c === '?' && path[s] !== '/')) {
      p++;
      s++;
    } else if (c === '*') {
      star = p++;
      mark = s;
    } else if (star >= 0 && path[mark] !== '/') {
      p = star + 1;
      s = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
