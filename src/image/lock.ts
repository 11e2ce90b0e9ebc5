import { beside } from '../host/beside.ts';
import type { Host, Lock } from '../host/host.ts';

/**
 * One lock per image: shared while a start goes from finding the image to being listed as its user, and while a pull or a load writes its record
 * and names it; exclusive while it is removed. Who has it exclusively waits for nothing, so that nobody who waits for it waits for ever.
 * undefined when `wait` is false and another holds it.
 */
export function lockImage(host: Host, store: string, id: string, exclusive: boolean, wait: boolean): Lock | undefined {
  host.mkdirs(`${store}/locks`, 0o700);
  return host.lock(lockPath(store, id), exclusive, wait);
}

/** Nobody removes the image meanwhile. */
export function whileKept<T>(host: Host, store: string, id: string, body: () => T): T {
  const lock = lockImage(host, store, id, false, true);
  try {
    return body();
  } finally {
    lock?.release();
  }
}

/** The same in Node's half; the body begins at once and hears when the lock is had. */
export async function whileKeptBeside<T>(
  host: Host,
  store: string,
  id: string,
  body: (kept: Promise<unknown>) => Promise<T>,
): Promise<T> {
  host.mkdirs(`${store}/locks`, 0o700);
  const lock = beside(host).awaitLock(lockPath(store, id), false);
  const release = lock.then(
    had => () => had.release(),
    () => () => undefined,
  );
  try {
    return await body(lock);
  } finally {
    (await release)();
  }
}

/** By who holds it exclusively and has removed the image. */
export function removeImageLock(host: Host, store: string, id: string): void {
  host.unlink(lockPath(store, id));
}

function lockPath(store: string, id: string): string {
  return `${store}/locks/image-${id}`;
}
