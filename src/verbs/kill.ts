import { KILL } from '../command/options-container.ts';
import { lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { readSignal } from '../plan/parse-values.ts';
import { requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { signalPayload } from '../run/stop.ts';
import { forEachOperand, verb } from './edge.ts';
import { selectContainers } from './select.ts';

/** `berth kill`: a signal for the payload itself; systemd sees how it ends. */
export const main: (host: Host) => number = verb(KILL, (host, command) => {
  const word = lastValue(command, 'signal') ?? 'KILL';
  const signal = readSignal(word);
  if (signal === undefined)
    throw new Failure(125, `--signal ${word}: not a signal; use a name such as TERM or a number`);
  return forEachOperand(host, selectContainers(host, command), name => {
    signalPayload(host, requireContainer(host, name).state, signal);
    host.write(1, `${name}\n`);
    return 0;
  });
});
