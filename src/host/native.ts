import { HostError, type Host, type Lock } from './host.ts';

/**
 * The host inside the native program: `native/host*.c` puts an object with the calls into the global `berth`.
 * It is the `Host` itself but for locks, which C gives as descriptors; failed calls throw what our factory makes.
 */
interface RawHost extends Omit<Host, 'lock'> {
  lock(path: string, exclusive: boolean, wait: boolean): number | undefined;
  onError(factory: (syscall: string, code: string, errno: number, text: string, path: string) => Error): void;
  /** What the engine calls when the program of this name is wanted. */
  enter(entries: Readonly<Record<string, () => number>>): void;
  /** Ends the process. */
  finish(status: number): never;
}

declare const berth: RawHost;

export function nativeHost(): Host {
  berth.onError((syscall, code, errno, text, path) => new HostError(syscall, code, errno, text, path));
  const lock = (path: string, exclusive: boolean, wait: boolean): Lock | undefined => {
    const fd = berth.lock(path, exclusive, wait);
    return fd === undefined ? undefined : { release: () => berth.close(fd) };
  };
  return Object.setPrototypeOf({ lock }, berth) as Host;
}

/** What a native program returns when Node's half is to do it, from the start and with the same words. */
export const BY_NODE = -1;
/** The same, with less right to the processors than what starts meanwhile. */
export const BY_NODE_ASIDE = -2;
/** The same, in a session of its own, where the kernel shares the processors between sessions. */
export const BY_NODE_APART = -3;

/** Gives the engine its programs. Each ends the process, or returns one of these. */
export function offer(entries: Readonly<Record<string, () => number>>): void {
  berth.enter(entries);
}

/** Ends the process with this status. */
export function finish(status: number): never {
  return berth.finish(status);
}
