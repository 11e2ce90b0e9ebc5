import { HostError, type Host } from '../host/host.ts';
import type { Reader } from '../plan/draft.ts';
import { LABEL_VARIABLE } from '../run/state.ts';

/** What a command line of `run` refers to besides itself. */
export function readerOf(host: Host): Reader {
  return {
    readFile(path) {
      try {
        return host.readFile(path);
      } catch (error) {
        if (error instanceof HostError) return undefined;
        throw error;
      }
    },
    environment: name => host.environment(name),
    // Of these a container has the label, and no variable.
    environmentList: () => host.environmentList().filter(pair => !pair.startsWith(LABEL_VARIABLE)),
    cwd: () => host.cwd(),
  };
}
