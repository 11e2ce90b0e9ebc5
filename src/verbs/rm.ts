import { RM } from '../command/options-container.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { storeDirectory } from '../image/store.ts';
import { findContainer, isName, isRunning, type Container } from '../run/containers.ts';
import { findContext, type Context } from '../run/context.ts';
import { stopContainer } from '../run/ending.ts';
import { Failure } from '../run/failure.ts';
import { layerPath } from '../run/layer.ts';
import { lockName } from '../run/locks.ts';
import { removeContainer, removeLayerOf } from '../run/remove.ts';
import { forEachOperand, verb } from './edge.ts';
import { PARTS } from './parts.ts';
import { secondsOf, selectContainers } from './select.ts';

/** `berth rm`: ExecStop= and ExecStopPost= of a unit, or a person's clean-up. */
export const main: (host: Host) => number = verb(RM, (host, command) => {
  const context = findContext(host);
  const store = storeDirectory(host);
  return forEachOperand(host, selectContainers(host, command), word => removeOne(host, context, store, command, word));
});

function removeOne(host: Host, context: Context, store: string, command: Command, word: string): number {
  const found = findContainer(host, word);
  const silent = isSet(command, 'ignore') || isSet(command, 'force');
  if (found === undefined) return removeRemains(host, store, word, silent);
  if (found.state !== undefined && isRunning(host, found.state)) stopFirst(host, context, command, found);
  const lock = lockName(host, store, found.name);
  try {
    // Somebody else (ExecStopPost= of the unit that we stopped) may have been faster, or have started it anew.
    const now = findContainer(host, found.name);
    if (now?.state !== undefined && isRunning(host, now.state)) {
      throw new Failure(125, `${found.name}: was started again by ${now.state.unit}; stop that unit`);
    }
    if (now !== undefined)
      report(removeContainer(host, PARTS, store, now, isSet(command, 'volumes') || now.state?.remove === true));
  } finally {
    lock.release();
  }
  // In a unit (ExecStop=, ExecStopPost=) it would be a line of the journal that says nothing.
  if (!context.inUnit) host.write(1, `${word}\n`);
  return 0;
}

function stopFirst(host: Host, context: Context, command: Command, found: Container): void {
  if (found.state === undefined) return;
  if (!isSet(command, 'force')) throw new Failure(2, `${found.name}: is running; stop it first, or give --force`);
  const time = lastValue(command, 'time');
  stopContainer(host, context, found.state, time === undefined ? undefined : secondsOf(time));
}

/** No bundle: what a power cut leaves is the writable layer. */
function removeRemains(host: Host, store: string, word: string, silent: boolean): number {
  if (!isName(word) || host.lstat(layerPath(store, word)) === undefined) {
    if (silent) return 0;
    throw new Failure(1, `${word}: no such container`);
  }
  const lock = lockName(host, store, word);
  try {
    report(removeLayerOf(host, PARTS, store, word));
  } finally {
    lock.release();
  }
  return 0;
}

function report(lines: string[]): void {
  if (lines.length > 0) throw new Failure(125, lines);
}
