import type { SpecResources } from '../plan/spec.ts';
import type { Limit } from './cgroup.ts';

/**
 * `linux.resources` of a foreign bundle as files of the unified hierarchy. The specification keeps the words of the first version; the
 * conversions are those of its appendix (config-linux.md#control-groups) and of crun(1), "CGROUP v2".
 */
export function limitsOf(resources: SpecResources | undefined): Limit[] {
  if (resources === undefined) return [];
  const limits: Limit[] = [];
  const add = (file: string, value: string | undefined): void => {
    if (value !== undefined) limits.push({ file, value, controller: file.split('.')[0] ?? '', required: true });
  };
  const { memory, cpu, pids, unified } = resources;
  add('memory.max', amount(memory?.limit));
  add('memory.low', amount(memory?.reservation));
  add('memory.swap.max', swapOf(memory));
  add('cpu.weight', weightOf(cpu?.shares));
  add('cpu.max', quotaOf(cpu));
  add('cpuset.cpus', filled(cpu?.cpus));
  add('cpuset.mems', filled(cpu?.mems));
  add('pids.max', amount(pids?.limit === 0 ? undefined : pids?.limit));
  for (const [file, value] of Object.entries(unified ?? {})) add(file, value);
  return limits;
}

/** Below zero means no limit. */
function amount(value: number | undefined): string | undefined {
  return value === undefined ? undefined : value < 0 ? 'max' : String(value);
}

/** The specification counts memory and swap together, the kernel swap alone. */
function swapOf(memory: SpecResources['memory']): string | undefined {
  const swap = memory?.swap;
  if (swap === undefined || swap === 0) return undefined;
  if (swap < 0) return 'max';
  return String(Math.max(0, swap - (memory?.limit ?? 0)));
}

/** 2..262144 shares, default 1024, to 1..10000 weight, default 100: the curve that the runtimes agreed on in 2025. */
function weightOf(shares: number | undefined): string | undefined {
  if (shares === undefined || shares === 0) return undefined;
  if (shares <= 2) return '1';
  if (shares >= 262_144) return '10000';
  const power = Math.log2(shares);
  return String(Math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34)));
}

function quotaOf(cpu: SpecResources['cpu']): string | undefined {
  if (cpu?.quota === undefined && cpu?.period === undefined) return undefined;
  const quota = cpu.quota === undefined || cpu.quota <= 0 ? 'max' : String(cpu.quota);
  return `${quota} ${cpu.period ?? 100_000}`;
}

function filled(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
