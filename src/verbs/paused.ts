import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { freeze, hasFrozen, isFrozen } from '../run/freezer.ts';
import type { ContainerState } from '../run/state.ts';

/** How long we wait for processes that are in the middle of a system call. */
const PATIENCE_MS = 10_000;
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The kernel tells of the change by a file that cannot be watched from Node (cgroup.events, POLLPRI): so it is looked at, briefly. */
export async function stopped(host: Host, state: ContainerState): Promise<void> {
  const end = host.monotonic() + PATIENCE_MS * 1000;
  while (!hasFrozen(host, state)) {
    if (host.monotonic() > end)
      throw new Failure(
        125,
        `${state.name}: a process is in a system call that cannot be interrupted; the others are paused`,
      );
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

/** Then it goes on, also where a signal ends us; one that somebody else has paused stays so. */
export async function whilePaused<T>(host: Host, state: ContainerState, work: () => Promise<T>): Promise<T> {
  if (isFrozen(host, state)) return work();
  const goOn = (): void => {
    // It may have ended, and its group with it.
    if (isFrozen(host, state)) freeze(host, state, false);
  };
  const end = (signal: NodeJS.Signals): void => {
    goOn();
    process.kill(process.pid, signal);
  };
  for (const signal of ENDING) process.once(signal, end);
  try {
    freeze(host, state, true);
    await stopped(host, state);
    return await work();
  } finally {
    for (const signal of ENDING) process.off(signal, end);
    goOn();
  }
}
