import { allValues, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { attach } from '../network/bridge.ts';
import { readState, withNetworkLock, without, writeState } from '../network/ipam.ts';
import { runNetavark } from '../network/netavark.ts';
import { readNamespace } from '../network/namespace.ts';
import { hasOwnWayOut } from '../network/account-bridge.ts';
import { parseWishes, placeInOne, withoutDefaultRoute } from '../network/placement.ts';
import { readNetwork } from '../network/records.ts';
import { isRunning, requireContainer, type Container } from '../run/containers.ts';
import { Failure, failureOf } from '../run/failure.ts';
import type { ContainerState } from '../run/state.ts';
import { storeOf } from './place.ts';

type Running = Container & { readonly state: ContainerState };

/** `berth network connect`: a further interface for a container that is in a network already. */
export function connectContainer(host: Host, command: Command): number {
  const [network = '', word = ''] = command.operands;
  const container = requireRunning(host, word);
  const record = readNetwork(host, storeOf(host, command), network);
  if (record === undefined) throw new Failure(1, `${network}: no such network`);
  const words = (['ip', 'ip6'] as const).flatMap(key => optionWord(command, key, key));
  const wishes = parseWishes([...words, ...optionWord(command, 'mac-address', 'mac')].join(','));
  if (wishes.isErr()) throw failureOf([wishes.error]);
  return withNetworkLock(host, () => {
    const state = readState(host);
    const ours = Object.entries(state.attachments).filter(([, one]) => one.bundle === container.bundle);
    if (ours.some(([, one]) => one.networks[network] !== undefined))
      throw new Failure(125, `${word}: is in the network ${network} already`);
    const count = ours.reduce((sum, [, one]) => sum + Object.keys(one.networks).length, 0);
    const aliases = allValues(command, 'alias').flatMap(text => text.split(','));
    const placed = placeInOne(state, record, wishes.value, `eth${count}`, aliases);
    if (placed.isErr()) throw failureOf([placed.error]);
    // Who has published ports has another way out already.
    const one = hasOwnWayOut(container.state) ? withoutDefaultRoute(placed.value) : placed.value;
    const inside = host.euid === 0 ? undefined : readNamespace(host);
    const done = attach(host, state, `${container.bundle} ${network}`, {
      bundle: container.bundle,
      netns: `/proc/${container.state.pid}/ns/net`,
      name: container.name,
      ports: [],
      dns: [],
      placed: [one],
      ...(inside === undefined ? {} : { inside }),
    });
    if (done.isErr()) throw failureOf([done.error]);
    return 0;
  });
}

function optionWord(command: Command, option: string, key: string): string[] {
  const value = lastValue(command, option);
  return value === undefined ? [] : [`${key}=${value}`];
}

function requireRunning(host: Host, word: string): Running {
  const container = requireContainer(host, word);
  if (!isRunning(host, container.state)) throw new Failure(125, `${word}: does not run`);
  if (container.state.network.kind !== 'bridge') {
    throw new Failure(
      125,
      `${word}: its network is ${container.state.network.kind}; only containers in a bridge network can join others`,
    );
  }
  return container;
}

/** `berth network disconnect`: of the networks that a container was started with none can be left. */
export function disconnectContainer(host: Host, command: Command): number {
  const [network = '', word = ''] = command.operands;
  const container = requireRunning(host, word);
  return withNetworkLock(host, () => {
    const state = readState(host);
    const key = `${container.bundle} ${network}`;
    const attachment = state.attachments[key];
    if (attachment === undefined) {
      const fixed = state.attachments[container.bundle]?.networks[network] !== undefined;
      throw new Failure(
        125,
        fixed
          ? `${word}: was started in the network ${network}; change its Network= and restart it`
          : `${word}: is not in the network ${network}`,
      );
    }
    const netns = `/proc/${container.state.pid}/ns/net`;
    const inside = host.euid === 0 ? undefined : readNamespace(host);
    const done = runNetavark(host, 'teardown', netns, attachment.configuration, inside);
    if (done.isErr()) throw failureOf([done.error]);
    writeState(host, without(state, [key]));
    return 0;
  });
}
