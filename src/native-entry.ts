import type { Host } from './host/host.ts';
import { BY_NODE, BY_NODE_APART, BY_NODE_ASIDE, finish, nativeHost, offer } from './host/native.ts';

/**
 * Offers native programs by their names. What one's `main` returns is the exit status; what it throws becomes one line on standard
 * error and status 125 (native/engine.c). Nothing is known of the process yet: the heap image is made after this.
 */
export function enter(programs: Readonly<Record<string, (host: Host) => number>>): void {
  const host = nativeHost();
  offer(Object.fromEntries(Object.entries(programs).map(([name, main]) => [name, () => ended(main(host))])));
}

function ended(status: number): number {
  return [BY_NODE, BY_NODE_ASIDE, BY_NODE_APART].includes(status) ? status : finish(status);
}
