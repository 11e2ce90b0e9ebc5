import type { Host, Lock } from '../host/host.ts';

/**
 * One lock per container name, in the store, since the writable layer of that name is there: an account may start the same
 * name in a user unit and in a system unit with User=, which have different runtime directories. Held while a start or a removal changes
 * anything, never while a payload runs.
 */
export function lockName(host: Host, store: string, name: string): Lock {
  host.mkdirs(`${store}/locks`, 0o700);
  const lock = host.lock(`${store}/locks/container-${name}`, true, true);
  if (lock === undefined) throw new Error(`${store}/locks/container-${name}: not locked`);
  return lock;
}
