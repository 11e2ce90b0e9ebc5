import { RM } from '../command/options-container.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { storeDirectory } from '../image/store.ts';
import { findHalfMade } from '../run/bundle.ts';
import { findContainer, findNamed, isName, isRunning, type Container } from '../run/containers.ts';
import { findContext, type Context } from '../run/context.ts';
import { tellEndOf } from '../run/ended.ts';
import { clearUnit, isOwnUnit, stopContainer, unitLeft } from '../run/ending.ts';
import { Failure } from '../run/failure.ts';
import { layerPath } from '../run/layer.ts';
import { lockName } from '../run/locks.ts';
import { endEmptyPod } from '../run/pod-exit.ts';
import { removeContainer, removeLayerOf } from '../run/remove.ts';
import { removeImageOf } from '../run/remove-image.ts';
import { killedByFilter } from '../run/sandbox.ts';
import type { ContainerState } from '../run/state.ts';
import { mayBeLoaded } from '../systemd/transient.ts';
import { forEachOperand, say, verb } from './edge.ts';
import { PARTS } from './parts.ts';
import { secondsOf, selectContainers } from './select.ts';

/** `berth rm`: ExecStop= and ExecStopPost= of a unit, or a person's clean-up. */
export const main: (host: Host) => number = verb(RM, (host, command) => {
  const context = findContext(host);
  const [name = ''] = command.operands;
  const killed = killedByFilter(host, context, name);
  if (killed !== undefined) say(host, killed);
  const store = storeDirectory(host);
  return forEachOperand(host, selectContainers(host, command), word => removeOne(host, context, store, command, word));
});

function removeOne(host: Host, context: Context, store: string, command: Command, word: string): number {
  const silent = isSet(command, 'ignore') || isSet(command, 'force');
  const withVolumes = isSet(command, 'volumes');
  // A container that is just starting runs when its lock is free: then it is stopped in the next round.
  let pod: string | undefined;
  for (let round = 1; ; round++) {
    // What a unit removes after its end may be gone already: then it must not be another whose id begins so.
    const found = context.inUnit && word.length < 64 ? findNamed(host, word) : findContainer(host, word);
    if (found === undefined) {
      const status = removeRemains(host, store, word, silent);
      if (status === undefined) continue;
      return status;
    }
    if (isForeign(host, context, command, found)) return 0;
    pod ??= found.name === found.state?.name ? found.state.pod : undefined;
    if (found.state !== undefined && isRunning(host, found.state)) stopFirst(host, context, command, found);
    if (found.state !== undefined) endUnitOf(host, context, found.state);
    const left = removeStopped(host, store, found.name, withVolumes);
    if (left === undefined) {
      tellEndOf(host, context, found);
      if (found.state?.removeImage === true) removeImageOf(host, found.state.image);
      break;
    }
    if (!isSet(command, 'force') || round === 3) throw new Failure(125, `${word}: was started again by ${left}`);
  }
  if (pod !== undefined) endEmptyPod(host, context, store, pod);
  // In a unit (ExecStop=, ExecStopPost=) it would be a line of the journal that says nothing.
  if (!context.inUnit) host.write(1, `${word}\n`);
  return 0;
}

/**
 * What the generated ExecStop= and ExecStopPost= (systemd.exec(5): SERVICE_RESULT is set) remove is their own unit's. A start that
 * fails because another unit's container has the name must not end that one.
 */
function isForeign(host: Host, context: Context, command: Command, { state }: Container): boolean {
  if (!context.inUnit || state === undefined || state.unit === '' || isOwnUnit(context, state)) return false;
  return isSet(command, 'ignore') && host.environment('SERVICE_RESULT') !== undefined && isRunning(host, state);
}

/** Under the lock; somebody else (ExecStopPost= of the unit that we stopped) may have been faster. The unit of one that runs. */
function removeStopped(host: Host, store: string, name: string, withVolumes: boolean): string | undefined {
  const lock = lockName(host, store, name);
  try {
    const now = findNamed(host, name);
    if (now?.state !== undefined && isRunning(host, now.state)) return now.state.unit;
    if (now !== undefined) report(removeContainer(host, PARTS, store, now, withVolumes || now.state?.remove === true));
    for (const path of findHalfMade(host, name)) host.removeTree(path);
    return undefined;
  } finally {
    lock.release();
  }
}

function stopFirst(host: Host, context: Context, command: Command, found: Container): void {
  if (found.state === undefined) return;
  if (!isSet(command, 'force')) throw new Failure(2, `${found.name}: is running; stop it first, or give --force`);
  const time = lastValue(command, 'time');
  stopContainer(host, context, found.state, time === undefined ? undefined : secondsOf(time));
}

/**
 * By a person: the container's transient unit is to be gone with it, since the name may be given again at once. It may wait with the next
 * try of Restart=, or note how the container ended.
 */
function endUnitOf(host: Host, context: Context, state: ContainerState): void {
  const { id, unit, manager } = state;
  const own = manager === (host.euid === 0 ? 'system' : 'user') && unit.endsWith('.service');
  if (!own || context.inUnit || !context.systemd || !mayBeLoaded(host, manager, unit)) return;
  const left = unitLeft(host, state, id);
  if (left === 'ends' || left === 'ended' || (left === 'runs' && state.restarts === true)) clearUnit(host, state, left);
}

/** No bundle: what a power cut leaves is the writable layer, and a killed launcher half a bundle. */
function removeRemains(host: Host, store: string, word: string, silent: boolean): number | undefined {
  const halfMade = isName(word) ? findHalfMade(host, word) : [];
  if (!isName(word) || (host.lstat(layerPath(store, word)) === undefined && halfMade.length === 0)) {
    if (silent) return 0;
    throw new Failure(1, `${word}: no such container`);
  }
  const lock = lockName(host, store, word);
  try {
    // It was between two starts, and has its files.
    if (findNamed(host, word) !== undefined) return undefined;
    report(removeLayerOf(host, PARTS, store, word));
    for (const path of findHalfMade(host, word)) host.removeTree(path);
  } finally {
    lock.release();
  }
  return 0;
}

function report(lines: string[]): void {
  if (lines.length > 0) throw new Failure(125, lines);
}
