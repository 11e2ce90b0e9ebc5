import type { Host } from '../host/host.ts';
import { encodeOps, op } from '../ops/encode.ts';
import type { RunRequest } from '../plan/request.ts';
import type { ProcessName } from './state.ts';
import type { Undo } from './undo.ts';

/**
 * The standard input of a container with `-i` (podman-run(1)) whom nobody attends to: a pipe without an end, so that what reads it stays, until
 * somebody attaches. A holder, a program of one page beside the relay, has the writing end as descriptor 1: `attach` opens it by
 * /proc, and ends the holder when what is typed ends. Nothing of ours is in the way of a byte.
 */
export function keepsInput(host: Host, request: RunRequest, handsOver: boolean): boolean {
  // StandardInput= of a unit that says more (systemd.exec(5)) is the payload's.
  return handsOver && request.interactive && !request.tty && host.readlink('/proc/self/fd/0') === '/dev/null';
}

/** Starts the holder of the writing end, which is closed here; undefined when there is none. */
export function holdInput(host: Host, input: number | undefined, undo: Undo): ProcessName | undefined {
  if (input === undefined) return undefined;
  const holder = host.launch({
    namespaces: 0,
    sibling: true,
    ops: encodeOps([op('session'), op('hold')]),
    stdio: ['null', input, 'null'],
    descriptors: [],
  });
  undo.add('input', () => void host.signal(holder.pidfd, 9));
  host.close(input);
  return { pid: holder.pid, startTime: host.startTime(holder.pid) ?? '' };
}

/** The kill of a unit reaches it, too, but for KillMode=process. */
export function endInput(host: Host, { pid, startTime }: ProcessName): void {
  const fd = host.startTime(pid) === startTime ? host.openProcess(pid) : undefined;
  if (fd === undefined) return;
  if (host.startTime(pid) === startTime) host.signal(fd, 15);
  host.close(fd);
}
