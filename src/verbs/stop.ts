import { STOP } from '../command/options-container.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { findContainer, isRunning, requireContainer } from '../run/containers.ts';
import { findContext } from '../run/context.ts';
import { stopContainer } from '../run/ending.ts';
import { forEachOperand, verb } from './edge.ts';
import { secondsOf, selectContainers } from './select.ts';

/** `berth stop`: see run/ending.ts for who stops what. */
export const main: (host: Host) => number = verb(STOP, (host, command) => {
  const context = findContext(host);
  const time = lastValue(command, 'time');
  const timeout = time === undefined ? undefined : secondsOf(time);
  return forEachOperand(host, selectContainers(host, command), word => {
    if (isSet(command, 'ignore') && findContainer(host, word)?.state === undefined) return 0;
    const { state } = requireContainer(host, word);
    if (isRunning(host, state)) stopContainer(host, context, state, timeout);
    if (!context.inUnit) host.write(1, `${word}\n`);
    return 0;
  });
});
