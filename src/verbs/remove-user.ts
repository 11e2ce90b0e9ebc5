import { lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { findContainer, isRunning } from '../run/containers.ts';
import { findContext } from '../run/context.ts';
import { endWaiting, stopContainer } from '../run/ending.ts';
import { Failure } from '../run/failure.ts';
import { lockName } from '../run/locks.ts';
import { removeContainer } from '../run/remove.ts';
import { PARTS } from './parts.ts';
import { secondsOf } from './select.ts';

/** What `--force` of a resource does to a container that uses it: one that runs is stopped as `berth stop` stops it. */
export function removeUser(host: Host, store: string, command: Command, user: string): void {
  const found = findContainer(host, user);
  const time = lastValue(command, 'time');
  if (found?.state !== undefined) {
    const context = findContext(host);
    if (isRunning(host, found.state))
      stopContainer(host, context, found.state, time === undefined ? undefined : secondsOf(time));
    else endWaiting(host, context, found.state);
  }
  const lock = lockName(host, store, user);
  try {
    const now = findContainer(host, user);
    if (now === undefined) return;
    const lines = removeContainer(host, PARTS, store, now, true);
    if (lines.length > 0) throw new Failure(125, lines);
  } finally {
    lock.release();
  }
}
