import { NAMESPACE_UNIT } from '../command/networks.ts';
import { NETWORK_VERBS } from '../command/options-network.ts';
import { isSet } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { createNetwork } from '../network/create.ts';
import { holdNamespace, releaseNamespace } from '../network/hold.ts';
import { withNetworkLock } from '../network/ipam.ts';
import { startNames } from '../network/names.ts';
import { endWait } from '../network/naming.ts';
import { renewResolvers } from '../network/resolvers.ts';
import { DEFAULT_NETWORK, listNetworks, networkPath, readNetwork, type NetworkRecord } from '../network/records.ts';
import { usersOf } from '../network/users.ts';
import { findContext } from '../run/context.ts';
import { Failure } from '../run/failure.ts';
import { forEachOperand } from './edge.ts';
import { family } from './family.ts';
import { connectContainer, disconnectContainer } from './network-connect.ts';
import { wishOf } from './network-wish.ts';
import { inspectNetworks, listAllNetworks, selectedNetworks } from './network-show.ts';
import { storeOf } from './place.ts';
import { removeUser } from './remove-user.ts';

/** Runtime directories of units with User=. */
const ACCOUNTS = '/run/berth/users';

/** `berth network …` (podman-network(1)), and what `.network` units run. */
export const main: (host: Host) => number = family('network', NETWORK_VERBS, {
  create,
  connect: connectContainer,
  disconnect: disconnectContainer,
  hold,
  release,
  exists: (host, command) =>
    readNetwork(host, storeOf(host, command), command.operands[0] ?? '') === undefined ? 1 : 0,
  inspect: inspectNetworks,
  ls: listAllNetworks,
  names,
  prune,
  resolvers,
  rm: remove,
});

/** What systemd starts for an account: the unit's main process is pasta from now on. */
function hold(host: Host): number {
  if (host.euid === 0)
    throw new Failure(125, 'network hold: root has no need of it; start units with User= of an account');
  if (!findContext(host).notify) throw new Failure(125, `network hold: systemd does this, in ${NAMESPACE_UNIT}`);
  holdNamespace(host);
  return 0;
}

/** What systemd starts for the names of networks: the unit's main process is aardvark-dns from now on. */
function names(host: Host): number {
  if (!findContext(host).notify) throw new Failure(125, 'network names: systemd does this, in berth-names.service');
  try {
    const pid = startNames(host);
    host.notify(pid === undefined ? 'READY=1' : `MAINPID=${pid}\nREADY=1`, true);
  } finally {
    if (host.euid !== 0) endWait(host);
  }
  return 0;
}

/** What systemd starts when the host has other resolvers. Root looks after its own, and has those of units with User= do the same. */
function resolvers(host: Host, command: Command): number {
  const accounts = host.euid === 0 && host.stat(ACCOUNTS) !== undefined ? host.list(ACCOUNTS) : [];
  const units = accounts.filter(({ name }) => /^\d+$/.test(name)).map(({ name }) => `berth-resolvers@${name}.service`);
  if (units.length > 0)
    host.run({ argv: ['systemctl', 'start', '--no-block', ...units], environment: ['PATH=/usr/bin:/bin'] });
  for (const name of renewResolvers(host, storeOf(host, command)))
    host.write(2, `${name}: has the host's resolvers now\n`);
  return 0;
}

function release(host: Host): number {
  releaseNamespace(host);
  return 0;
}

function create(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const name = withNetworkLock(host, () => {
    const given = command.operands[0] ?? unusedName(host, store);
    const there = readNetwork(host, store, given);
    if (there !== undefined && isSet(command, 'ignore')) return there.name;
    return createNetwork(host, store, wishOf(command, given)).name;
  });
  if (!findContext(host).inUnit) host.write(1, `${name}\n`);
  return 0;
}

function unusedName(host: Host, store: string): string {
  let number = 1;
  while (readNetwork(host, store, `berth${number}`) !== undefined) number++;
  return `berth${number}`;
}

/** Status 1 when there is none, 2 when a container is in it, as the peer has them. */
function remove(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const force = isSet(command, 'force');
  return forEachOperand(host, command.operands, name => {
    const record = readNetwork(host, store, name);
    if (record === undefined && force) return 0;
    if (record === undefined) throw new Failure(1, `${name}: no such network`);
    if (record.name === DEFAULT_NETWORK) throw new Failure(125, `${name}: the default network cannot be removed`);
    if (force) for (const user of usersOf(host, name)) removeUser(host, store, command, user);
    removeUnused(host, store, record);
    if (!findContext(host).inUnit) host.write(1, `${name}\n`);
    return 0;
  });
}

function removeUnused(host: Host, store: string, record: NetworkRecord): void {
  withNetworkLock(host, () => {
    const users = usersOf(host, record.name);
    if (users.length > 0) throw new Failure(2, `${record.name}: is in use by container ${users.join(', ')}`);
    host.unlink(networkPath(store, record.name));
  });
}

function prune(host: Host, command: Command): number {
  const store = storeOf(host, command);
  if (!isSet(command, 'force')) {
    throw new Failure(125, 'network prune: say --force to remove every network that no container uses');
  }
  const chosen = selectedNetworks(host, command, listNetworks(host, store)).filter(
    record => record.name !== DEFAULT_NETWORK && usersOf(host, record.name).length === 0,
  );
  for (const record of chosen) {
    removeUnused(host, store, record);
    host.write(1, `${record.name}\n`);
  }
  return 0;
}
