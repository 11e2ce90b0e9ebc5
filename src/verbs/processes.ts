import { closeSync, constants, openSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import type { Host } from '../host/host.ts';
import { readProcesses } from '../run/cgroup.ts';
import type { ContainerState } from '../run/state.ts';

/** A process of a container, from /proc of the host (proc(5)). Numbers are the host's, `inner…` the container's. */
export interface ProcessFacts {
  readonly pid: number;
  readonly innerPid: number;
  readonly innerParent: number;
  /** Fields of stat from the state on: index 0 is field 3. */
  readonly stat: readonly string[];
  /** Values of status by their names. */
  readonly status: Readonly<Record<string, string>>;
  readonly command: string;
  readonly words: string;
}

/** All processes of the payload's control group, those of `exec` and of probes, too; the order is that of their pids inside. */
export function processesOf(host: Host, state: ContainerState): ProcessFacts[] {
  const pids = state.cgroup === '' ? [state.pid] : (readProcesses(host, `/sys/fs/cgroup${state.cgroup}`) ?? []);
  const level = namespaceOf(state.pid);
  const raw = pids.flatMap(pid => readProcess(pid) ?? []);
  const inner = new Map(raw.map(one => [one.pid, innerPid(one.pid, one.status, level)]));
  return raw
    .map(one => ({
      ...one,
      innerPid: inner.get(one.pid) ?? 0,
      innerParent: inner.get(Number(one.stat[1])) ?? 0,
    }))
    .sort((a, b) => a.innerPid - b.innerPid);
}

type Raw = Omit<ProcessFacts, 'innerPid' | 'innerParent'>;

/** undefined: it has ended meanwhile. */
function readProcess(pid: number): Raw | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    return {
      pid,
      stat: stat.slice(stat.lastIndexOf(')') + 2).split(' '),
      status: Object.fromEntries(
        status.split('\n').map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      ),
      command: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
      words: words.replace(/\0+$/, '').replaceAll('\0', ' '),
    };
  } catch {
    return undefined;
  }
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
}

/** A container that makes a pid namespace of its own has more numbers after the one that the container sees. */
function innerPid(pid: number, status: Readonly<Record<string, string>>, namespace: string): number {
  const numbers = (status['NSpid'] ?? String(pid)).split(/\s+/).map(Number);
  if (numbers.length < 3 || namespaceOf(pid) === namespace) return numbers.at(-1) ?? pid;
  return numbers[1] ?? pid;
}

/**
 * A file of the container for names to show, at most 1 MiB; empty where a link stands on the way: the image must not lead us to a file of
 * the host (T16).
 */
export function readInside(pid: number, directory: string, name: string): string {
  const fds: number[] = [];
  const open = (path: string, flags: number): number => {
    const fd = openSync(path, flags | constants.O_NOFOLLOW);
    fds.push(fd);
    return fd;
  };
  try {
    const root = openSync(`/proc/${pid}/root`, constants.O_RDONLY | constants.O_DIRECTORY);
    fds.push(root);
    const below = open(`/proc/self/fd/${root}/${directory}`, constants.O_RDONLY | constants.O_DIRECTORY);
    const file = open(`/proc/self/fd/${below}/${name}`, constants.O_RDONLY | constants.O_NONBLOCK);
    const data = Buffer.allocUnsafe(1 << 20);
    return data.toString('latin1', 0, readSync(file, data));
  } catch {
    return '';
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}
