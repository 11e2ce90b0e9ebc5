import type { Host } from './host/host.ts';
import { finish, nativeHost } from './host/native.ts';

/**
 * Runs a native program. What `main` returns is the exit status; what it throws becomes one line on standard error
 * and status 125 (native/engine.c).
 */
export function enter(main: (host: Host) => number): void {
  finish(main(nativeHost()));
}
