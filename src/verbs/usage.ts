import { readFileSync, readlinkSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Host } from '../host/host.ts';
import type { ContainerState } from '../run/state.ts';

/** What a container uses, from the files of its control group (cgroup-v2.rst); undefined: the controller is not there. */
export interface Usage {
  /** Microseconds of processor time. */
  readonly cpu: number;
  readonly memory?: number;
  /** The limit that counts, or the machine's memory. */
  readonly memoryLimit: number;
  readonly processes?: number;
  /** Bytes since the start; undefined: the network is not its own. */
  readonly received?: number;
  readonly sent?: number;
  readonly read?: number;
  readonly written?: number;
  /** Seconds since the boot at which this was read. */
  readonly at: number;
}

export function usageOf(host: Host, state: ContainerState): Usage {
  const group = `/sys/fs/cgroup${state.cgroup}`;
  const read = (name: string): string | undefined => host.readFileIfExists(`${group}/${name}`);
  const usage: Mutable<Usage> = {
    cpu: Number(fieldOf(read('cpu.stat'), 'usage_usec') ?? 0),
    memoryLimit: memoryLimit(host, state.cgroup),
    at: host.monotonic() / 1e6,
  };
  const current = read('memory.current');
  // What the kernel gives back at once under pressure is not counted, as the peers do it.
  if (current !== undefined)
    usage.memory = Math.max(0, Number(current) - Number(fieldOf(read('memory.stat'), 'inactive_file') ?? 0));
  const processes = read('pids.current') ?? threadsIn(read('cgroup.threads'));
  if (processes !== undefined) usage.processes = Number(processes);
  const io = read('io.stat');
  if (io !== undefined) Object.assign(usage, { read: sumOf(io, 'rbytes'), written: sumOf(io, 'wbytes') });
  return Object.assign(usage, networkOf(state.pid));
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function fieldOf(text: string | undefined, name: string): string | undefined {
  return text
    ?.split('\n')
    .find(line => line.startsWith(`${name} `))
    ?.slice(name.length + 1);
}

function sumOf(text: string, key: string): number {
  return [...text.matchAll(new RegExp(`\\b${key}=(\\d+)`, 'g'))].reduce((sum, match) => sum + Number(match[1]), 0);
}

function threadsIn(text: string | undefined): string | undefined {
  return text === undefined ? undefined : String(text.split('\n').filter(line => line !== '').length);
}

/** The lowest memory.max from the container's group up. */
function memoryLimit(host: Host, path: string): number {
  let lowest = totalmem();
  for (let at = path; at !== '' && at !== '/'; at = at.slice(0, at.lastIndexOf('/'))) {
    const text = host.readFileIfExists(`/sys/fs/cgroup${at}/memory.max`)?.trim();
    if (text !== undefined && text !== 'max') lowest = Math.min(lowest, Number(text));
  }
  return lowest;
}

/** /proc/PID/net/dev (proc(5)) of a network namespace that is not ours; loopback does not count. */
function networkOf(pid: number): { received?: number; sent?: number } {
  try {
    if (readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net')) return {};
    const lines = readFileSync(`/proc/${pid}/net/dev`, 'latin1').split('\n').slice(2);
    const rows = lines.filter(line => line.includes(':') && !line.trimStart().startsWith('lo:'));
    const column = (index: number): number =>
      rows.reduce(
        (sum, line) =>
          sum +
          Number(
            line
              .slice(line.indexOf(':') + 1)
              .trim()
              .split(/\s+/)[index] ?? 0,
          ),
        0,
      );
    return { received: column(0), sent: column(8) };
  } catch {
    return {};
  }
}
