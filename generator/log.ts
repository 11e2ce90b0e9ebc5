import type { Bytes, Host } from '../src/host/host.ts';
import { oneLine } from '../src/unit/write.ts';

/** Messages of the generator: to the kernel's log, which systemd reads in early boot, or to standard error. */
export interface Log {
  readonly say: (level: Level, text: Bytes) => void;
}

/** Priorities of syslog(3). */
export type Level = 'error' | 'warning' | 'debug';
const PRIORITY: Readonly<Record<Level, number>> = { error: 3, warning: 4, debug: 7 };

/** A longer record of /dev/kmsg is refused by the kernel. */
const LONGEST = 900;

export function openLog(host: Pick<Host, 'writeFile' | 'write' | 'pid'>, toStderr: boolean, verbose: boolean): Log {
  let kernel = !toStderr;
  const say = (level: Level, message: Bytes): void => {
    if (level === 'debug' && !verbose) return;
    const text = `quadlet-generator[${host.pid}]: ${oneLine(message)}`;
    if (kernel) {
      try {
        host.writeFile('/dev/kmsg', `<${PRIORITY[level]}>${text.slice(0, LONGEST)}\n`);
        return;
      } catch {
        // No kernel log here, as in a container: standard error from now on.
        kernel = false;
      }
    }
    host.write(2, `${text}\n`);
  };
  return { say };
}
