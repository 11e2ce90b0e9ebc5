import type { Host, Lock } from '../host/host.ts';
import { layerPath } from './layer.ts';

/**
 * One lock per container name, in the store, since the writable layer of that name is there: an account may start the same
 * name in a user unit and in a system unit with User=, which have different runtime directories. Held while a start or a removal changes
 * anything, never while a payload runs.
 */
export function lockName(host: Host, store: string, name: string): Lock {
  host.mkdirs(`${store}/locks`, 0o700);
  const path = lockPath(store, name);
  const lock = host.lock(path, true, true);
  if (lock === undefined) throw new Error(`${path}: not locked`);
  return removing(host, store, name, lock);
}

/** The same, at once: undefined when another holds it. */
export function tryLockName(host: Host, store: string, name: string): Lock | undefined {
  const lock = host.lock(lockPath(store, name), true, false);
  return lock === undefined ? undefined : removing(host, store, name, lock);
}

/** After a removal that needed no lock. */
export function forgetName(host: Host, store: string, name: string): void {
  tryLockName(host, store, name)?.release();
}

export function lockPath(store: string, name: string): string {
  return `${store}/locks/container-${name}`;
}

/** The file goes with the container: names that are made up for a run would leave one each. */
function removing(host: Host, store: string, name: string, lock: Lock): Lock {
  return {
    release: () => {
      if (host.lstat(layerPath(store, name)) === undefined) host.unlink(lockPath(store, name));
      lock.release();
    },
  };
}

/** Who looks for ids that nobody has holds it until its state says that it has them. */
export function lockIds(host: Host, store: string): Lock {
  host.mkdirs(`${store}/locks`, 0o700);
  const lock = host.lock(`${store}/locks/ids`, true, true);
  if (lock === undefined) throw new Error(`${store}/locks/ids: not locked`);
  return lock;
}
