import { STOP } from '../command/options-container.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { findContainer, isRunning, listContainers, requireContainer } from '../run/containers.ts';
import { findContext } from '../run/context.ts';
import { endWaiting, stopContainer } from '../run/ending.ts';
import { forEachOperand, verb } from './edge.ts';
import { secondsOf, selectContainers } from './select.ts';

/**
 * `berth stop`: see run/ending.ts for who stops what. With --user, --system or --for, and for one name that is no container (a unit that has
 * not come so far), it is the manager's affair: src/verbs/start.ts.
 */
export const main: (host: Host) => number = verb(STOP, (host, command) => {
  if (MANAGERS.some(name => lastValue(command, name) !== undefined)) return becomeUnitStop(host);
  const [only = '', ...others] = command.operands;
  const plain = command.options.length === 0 && others.length === 0 && only !== '';
  if (plain && !findContext(host).inUnit && !isContainer(host, only)) return becomeUnitStop(host);
  const context = findContext(host);
  const time = lastValue(command, 'time');
  const timeout = time === undefined ? undefined : secondsOf(time);
  return forEachOperand(host, selectContainers(host, command), word => {
    if (isSet(command, 'ignore') && findContainer(host, word)?.state === undefined) return 0;
    const { state } = requireContainer(host, word);
    if (isRunning(host, state)) stopContainer(host, context, state, timeout);
    else endWaiting(host, context, state);
    if (!context.inUnit) host.write(1, `${word}\n`);
    return 0;
  });
});

const MANAGERS = ['system', 'user', 'for'];

function isContainer(host: Host, word: string): boolean {
  return (
    findContainer(host, word) !== undefined || listContainers(host).some(one => one.state?.unit === `${word}.service`)
  );
}

function becomeUnitStop(host: Host): number {
  const words = host.argv.slice(host.argv.indexOf('stop') + 1);
  return host.exec([host.readlink('/proc/self/exe'), 'unit', 'stop', ...words], host.environmentList());
}
