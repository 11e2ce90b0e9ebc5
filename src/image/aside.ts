import { HostError, type Host } from '../host/host.ts';

/** A layer that a repair has set aside, in a directory of its process in the store's tmp/: ASIDE and its digest. */
export const ASIDE = 'broken-';

/** Whether there is one: when its process was killed it goes back (putBack), and is not swept. */
export function holdsAside(host: Host, work: string): boolean {
  try {
    return host.lstat(work)?.kind === 'directory' && host.list(work).some(({ name }) => name.startsWith(ASIDE));
  } catch (error) {
    if (error instanceof HostError) return false; // A repair's own can be read.
    throw error;
  }
}
