import { allValues, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { addressesOf } from '../network/addresses.ts';
import { attach, portClash } from '../network/bridge.ts';
import { hasLeases } from '../network/dhcp.ts';
import {
  readState,
  withNetworkLock,
  without,
  writeState,
  type Attachment,
  type NetworkState,
} from '../network/ipam.ts';
import {
  addressesIn,
  attachmentsOf,
  gatewaysOf,
  moveFiles,
  toldIn,
  withNames,
  withoutNames,
} from '../network/joined-files.ts';
import { awaitListening, awaitNames } from '../network/naming.ts';
import { divided, freeInterface, runNetavark } from '../network/netavark.ts';
import { readNamespace } from '../network/namespace.ts';
import { hasOwnWayOut } from '../network/account-bridge.ts';
import { parseWishes, placeInOne, realName, withoutDefaultRoute } from '../network/placement.ts';
import { readNetwork, type NetworkRecord } from '../network/records.ts';
import type { ResolverRecord } from '../network/resolvers.ts';
import type { PortRequest } from '../plan/request.ts';
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
  const store = storeOf(host, command);
  const inside = host.euid === 0 ? undefined : readNamespace(host);
  const { answer, ...move } = withNetworkLock(host, () => {
    const state = readState(host);
    const ours = attachmentsOf(state, container);
    if (ours.some(one => one.networks[record.name] !== undefined))
      throw new Failure(125, `${word}: is in the network ${network} already`);
    const name = freeInterface(ours.map(one => one.configuration));
    const aliases = allValues(command, 'alias').flatMap(text => text.split(','));
    const placed = placeInOne(state, record, wishes.value, name, aliases);
    if (placed.isErr()) throw failureOf([placed.error]);
    // Who has published ports has another way out already.
    const one = hasOwnWayOut(container.state) ? withoutDefaultRoute(placed.value) : placed.value;
    const ports = inside === undefined ? portsOf(container.state) : [];
    // Somebody may have taken them while it published none.
    const clash =
      isOpen(record) && !ours.some(publishes) ? portClash(host, withoutOwn(state, container), ports) : undefined;
    if (clash !== undefined) throw failureOf([clash]);
    const done = attach(host, state, `${container.bundle} ${record.name}`, {
      bundle: container.bundle,
      netns: `/proc/${container.state.pid}/ns/net`,
      name: container.name,
      // In each of its networks, so that it may leave any other; an account's ports go another way.
      ports,
      dns: asksFor(container.state),
      placed: [one],
      ...(inside === undefined ? {} : { inside }),
    });
    if (done.isErr()) throw failureOf([done.error]);
    const added = hasLeases(record) ? done.value.addresses : one.addresses;
    const after = attachmentsOf(readState(host), container);
    return { answer: done.value, added, removed: [], gateways: host.euid === 0 ? gatewaysOf([...ours, ...after]) : [] };
  });
  const named = record.dns_enabled && answer.nameservers.length > 0;
  if (named && (inside === undefined || awaitNames(host)))
    awaitListening(host, inside?.pid ?? host.pid, answer.nameservers);
  moveFiles(host, store, container, { move, connection: before => (named ? withNames(before, answer) : before) });
  return 0;
}

/** Servers that it asked for, which those of the networks ask then. */
function asksFor({ network }: ContainerState): string[] {
  const record = network.resolver as ResolverRecord | undefined;
  return (record?.wishes.dns ?? []).filter(server => server !== 'none');
}

const withoutOwn = (state: NetworkState, { bundle }: Container): NetworkState =>
  without(
    state,
    Object.keys(state.attachments).filter(key => state.attachments[key]?.bundle === bundle),
  );

const portsOf = ({ ports }: ContainerState): PortRequest[] =>
  ports.map(({ host, hostPort, port, protocol }) => ({
    hostAddress: host,
    hostPort,
    port,
    count: 1,
    protocol: protocol as PortRequest['protocol'],
  }));

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

/** `berth network disconnect`: also of a network that the container was started in, and is in again with its next start. */
export function disconnectContainer(host: Host, command: Command): number {
  const [network = '', word = ''] = command.operands;
  const container = requireRunning(host, word);
  const { left, ...move } = withNetworkLock(host, () => {
    const state = readState(host);
    const ours = attachmentsOf(state, container);
    const own = [...addressesIn(ours), ...addressesOf(host, container.state.pid)];
    const name = realName(network);
    const [key, attachment] =
      Object.entries(state.attachments).find(
        ([, one]) => one.bundle === container.bundle && one.networks[name] !== undefined,
      ) ?? [];
    if (key === undefined || attachment === undefined)
      throw new Failure(125, `${word}: is not in the network ${network}`);
    const { one, rest } = divided(attachment.configuration, name);
    const { [name]: _, ...networks } = attachment.networks;
    const netns = `/proc/${container.state.pid}/ns/net`;
    const inside = host.euid === 0 ? undefined : readNamespace(host);
    const done = runNetavark(host, 'teardown', netns, one, inside);
    if (done.isErr()) throw failureOf([done.error]);
    const gone = without(state, [key]);
    const kept = { ...gone.attachments, [key]: { ...attachment, networks, configuration: rest } };
    const after = Object.keys(networks).length === 0 ? gone : { ...gone, attachments: kept };
    writeState(host, after);
    if (host.euid === 0 && container.state.ports.length > 0 && !attachmentsOf(after, container).some(publishes))
      host.write(
        2,
        `berth: warning: ${word}: its ports are published no more: it is in no network that has a way out\n`,
      );
    const stays = [...addressesIn(attachmentsOf(after, container)), ...addressesOf(host, container.state.pid)];
    return {
      left: toldIn(one)[name],
      added: [],
      removed: own.filter(address => !stays.includes(address)),
      gateways: host.euid === 0 ? gatewaysOf(ours) : [],
    };
  });
  moveFiles(host, storeOf(host, command), container, {
    move,
    connection: before => (left === undefined ? before : withoutNames(before, left, host.euid === 0)),
  });
  return 0;
}

/** netavark publishes nothing in other networks. */
function publishes({ ports, configuration }: Attachment): boolean {
  return ports.length > 0 && Object.values(toldIn(configuration)).some(isOpen);
}

const isOpen = ({ driver, internal }: NetworkRecord): boolean => driver === 'bridge' && !internal;
