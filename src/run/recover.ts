import type { Host } from '../host/host.ts';
import { findNamed, isRunning } from './containers.ts';
import type { Context } from './context.ts';
import { endWaiting, stopContainer } from './ending.ts';
import { Failure } from './failure.ts';
import { layerPath } from './layer.ts';
import type { Parts } from './parts.ts';
import type { StartPlace } from './place.ts';
import { emptyBundle, releaseContainer, removeBundle, removeContainer, removeLayerOf } from './remove.ts';

/**
 * Before the lock of the name is taken: a container that runs is only replaced with --replace. It is stopped without the lock, since its
 * unit's ExecStopPost= removes it and needs the lock for that. `check` throws where the new one could not start: then the old one goes on.
 */
export function stopForReplace(host: Host, context: Context, name: string, replace: boolean, check: () => void): void {
  const state = findNamed(host, name)?.state;
  if (state === undefined) return;
  const running = isRunning(host, state);
  // One that never ran waits for its start, also with --rm.
  if (!replace && (running || !state.remove || state.pid === 0)) throw inUse(name);
  if (running || state.restarts === true) check();
  if (running) stopContainer(host, context, state);
  else endWaiting(host, context, state);
}

/** Under the lock: removes what an earlier container of this name has left, by a crash or to be replaced. */
export function takeName(host: Host, parts: Parts, store: string, name: string): void {
  const before = findNamed(host, name);
  if (before !== undefined) {
    if (before.state !== undefined && isRunning(host, before.state)) throw inUse(name);
    report(removeContainer(host, parts, store, before, true));
  }
  if (host.lstat(layerPath(store, name)) !== undefined) report(removeLayerOf(host, parts, store, name));
}

/**
 * Under the lock: the container of this name is started again, and its files stay. It is listed all the time, as what it was until it runs:
 * `rm` finds it, and its volumes have a user. The result makes it that again, for a start that fails.
 */
export function takeAgain(host: Host, parts: Parts, store: string, { name, bundle }: StartPlace): () => void {
  const before = findNamed(host, name);
  if (before === undefined) return () => undefined;
  if (before.state !== undefined && isRunning(host, before.state)) throw inUse(name);
  report(releaseContainer(host, parts, store, before));
  // An account's may be in another runtime directory than before.
  const stays = before.bundle === bundle;
  const texts = KEPT.map(file => host.readFileIfExists(`${before.bundle}/${file}`) ?? '');
  const restore = (): void => {
    host.mkdirs(before.bundle, 0o700);
    for (const [i, text] of texts.entries())
      if (text !== '') host.writeFileAtomic(`${before.bundle}/${KEPT[i]}`, text, 0o600);
  };
  try {
    if (stays) emptyBundle(host, store, before, KEPT);
    else removeBundle(host, store, before);
  } catch (error) {
    restore();
    throw error;
  }
  return restore;
}

/** What tells of a container that has ended. */
const KEPT = ['config.json', 'exit.json', 'state.json'];

function inUse(name: string): Failure {
  return new Failure(125, `the container name ${name} is in use; remove it with 'berth rm ${name}' or give --replace`);
}

function report(lines: string[]): void {
  if (lines.length > 0) throw new Failure(125, lines);
}
