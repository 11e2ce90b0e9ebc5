import type { Host } from '../host/host.ts';
import type { PlanFacts } from '../plan/types.ts';

/** Lines of /proc/PID/limits by the names of plan/limits.ts (proc_pid_limits(5)). */
const LINES: readonly (readonly [label: string, name: string])[] = [
  ['Max cpu time', 'cpu'],
  ['Max file size', 'fsize'],
  ['Max data size', 'data'],
  ['Max stack size', 'stack'],
  ['Max core file size', 'core'],
  ['Max resident set', 'rss'],
  ['Max processes', 'nproc'],
  ['Max open files', 'nofile'],
  ['Max locked memory', 'memlock'],
  ['Max address space', 'as'],
  ['Max file locks', 'locks'],
  ['Max pending signals', 'sigpending'],
  ['Max msgqueue size', 'msgqueue'],
  ['Max nice priority', 'nice'],
  ['Max realtime priority', 'rtprio'],
  ['Max realtime timeout', 'rttime'],
];

/** Our own limits. */
export function readLimits(host: Host): PlanFacts['limits'] {
  const text = host.readFileIfExists('/proc/self/limits') ?? '';
  const limits: Record<string, { soft: number | 'unlimited'; hard: number | 'unlimited' }> = {};
  for (const [label, name] of LINES) {
    const at = text.indexOf(`${label} `);
    if (at < 0) continue;
    // Columns of 25, 20 and 20 characters with a space between them.
    const soft = text.slice(at + 26, at + 46).trimEnd();
    const hard = text.slice(at + 47, at + 67).trimEnd();
    limits[name] = { soft: valueOf(soft), hard: valueOf(hard) };
  }
  return limits;
}

function valueOf(word: string): number | 'unlimited' {
  const number = Number(word);
  return word === '' || Number.isNaN(number) ? 'unlimited' : number;
}
