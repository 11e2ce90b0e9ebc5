import { CONTAINER_CLEANUP } from '../command/options-container.ts';
import { isSet } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { storeDirectory } from '../image/store.ts';
import { findNamed, isRunning, listContainers, requireContainer } from '../run/containers.ts';
import { findContext, type Context } from '../run/context.ts';
import { tellEndOf } from '../run/ended.ts';
import { isOwnUnit } from '../run/ending.ts';
import { exitOfUnit, readExit, writeExit } from '../run/exit-record.ts';
import { Failure } from '../run/failure.ts';
import { lockName } from '../run/locks.ts';
import { releaseContainer } from '../run/remove.ts';
import { forEachOperand, say, verb } from './edge.ts';
import { PARTS } from './parts.ts';

/**
 * `berth container cleanup`: gives back what a container that has ended holds on the host (network, mounts, volumes) and notes how it ended; its
 * files stay for `ps --all`, `logs` and `rm`. ExecStopPost= of `berth run -d` without --rm.
 */
export const main: (host: Host) => number = verb(CONTAINER_CLEANUP, (host, command) => {
  const context = findContext(host);
  const store = storeDirectory(host);
  const names = isSet(command, 'all') ? ended(host) : command.operands;
  return forEachOperand(host, names, word => cleanUp(host, context, store, word));
});

function ended(host: Host): string[] {
  return listContainers(host).flatMap(({ name, state }) =>
    state !== undefined && !isRunning(host, state) ? [name] : [],
  );
}

function cleanUp(host: Host, context: Context, store: string, word: string): number {
  // The unit's own container may be gone, or never have come so far: its ExecStopPost= has nothing to say of that.
  const { name } = context.inUnit ? { name: word } : requireContainer(host, word);
  const lock = lockName(host, store, name);
  try {
    const found = findNamed(host, name);
    if (found?.state === undefined || (context.inUnit && !isOwnUnit(context, found.state))) return 0;
    if (isRunning(host, found.state)) throw new Failure(125, `${name}: is running; stop it first`);
    for (const line of releaseContainer(host, PARTS, store, found)) say(host, line);
    if (readExit(host, found.bundle) === undefined && context.inUnit) {
      writeExit(host, found.bundle, exitOfUnit(host));
      tellEndOf(host, context, found);
    }
  } finally {
    lock.release();
  }
  if (!context.inUnit) host.write(1, `${word}\n`);
  return 0;
}
