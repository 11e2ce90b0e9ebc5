import type { Problem } from '../base/problem.ts';
import { CLONE, type Host, type Launched } from '../host/host.ts';
import { encodeOps, op } from '../ops/encode.ts';
import { hasLeases } from './dhcp.ts';
import { isUsed, without, type Attachment, type NetworkState } from './ipam.ts';
import { readNamespace, sameIds, type NamespaceRecord } from './namespace.ts';
import { runNetavark, withoutPorts } from './netavark.ts';
import type { NetworkRecord } from './records.ts';

/**
 * The container's namespace, and with it its interfaces, went with its last process; netavark still has to remove the rules of the
 * published ports and the names, and wants a namespace to look into: it gets an empty one. For the last container of a network the interface
 * is made there once more: netavark removes the bridge and its rules only after it has removed an interface. (A bridge without a carrier
 * would also mislead pasta on a host that has no default route.) What failed for want of a lease was undone by netavark, and would wait for the server
 * once more.
 */
export function takeDown(
  host: Host,
  state: NetworkState,
  keys: readonly string[],
  /** It may have some of a server on the wire. */
  mayHaveLeases = true,
): { state: NetworkState; problems: Problem[] } {
  const problems: Problem[] = [];
  let left = state;
  const inside = host.euid === 0 ? undefined : readNamespace(host);
  for (const key of keys) {
    const attachment = left.attachments[key];
    left = without(left, [key]);
    // An account's bridges went with their namespace.
    if (attachment === undefined || (host.euid !== 0 && inside === undefined)) continue;
    const unused = Object.keys(attachment.networks).filter(network => !isUsed(left, network));
    const last = unused.length > 0;
    unplug(host, inside, bridgesOf(attachment, unused));
    withEmptyNamespace(host, inside, path => {
      if (leases(attachment) ? mayHaveLeases : last)
        runNetavark(host, 'setup', path, withoutPorts(attachment.configuration), inside);
      // An account's container has no rules of its own.
      const firewall = last || inside === undefined ? 'nftables' : 'none';
      const done = runNetavark(host, 'teardown', path, attachment.configuration, inside, firewall);
      if (done.isErr()) problems.push(done.error);
    });
  }
  return { state: left, problems };
}

/** netavark gives back the lease of an interface that it sees. */
function leases({ configuration }: Attachment): boolean {
  const told = JSON.parse(configuration) as { network_info: Record<string, NetworkRecord> };
  return Object.values(told.network_info).some(hasLeases);
}

/** Bridges of the networks of an attachment, as netavark was told. */
function bridgesOf({ configuration }: Attachment, networks: readonly string[]): string[] {
  const told = JSON.parse(configuration) as { network_info: Record<string, NetworkRecord | undefined> };
  return networks.flatMap(name => {
    const record = told.network_info[name];
    return record?.driver === 'bridge' ? [record.network_interface] : [];
  });
}

/**
 * The container's namespace may outlive it: by a connection whose last bytes the kernel goes on to send, by who looks into it, by a kernel that is
 * slow to clean up. Its interface stays on the bridge so long, and netavark would take it for that of another container. Nobody is on these bridges.
 */
function unplug(host: Host, inside: NamespaceRecord | undefined, bridges: readonly string[]): void {
  if (bridges.length === 0) return;
  const kinds = inside === undefined ? [] : (['user', 'net'] as const);
  const descriptors = kinds.map(kind => host.open(`/proc/${inside?.pid}/ns/${kind}`, 0));
  const join = kinds.map((kind, at) => op('setns', at, CLONE[kind === 'user' ? 'NEWUSER' : 'NEWNET'].toString(16)));
  const stage = host.launch({
    namespaces: 0,
    sibling: false,
    ops: encodeOps([...join, ...bridges.map(name => op('bridge-unplug', name)), op('sync', 'created')]),
    stdio: ['null', 'null', 'null'],
    descriptors,
  });
  for (const fd of descriptors) host.close(fd);
  host.receiveMessage(stage);
  endStage(host, stage);
}

/** An empty network namespace for as long as `act` runs: a stage that waits in it. An account's belongs to the user namespace of its networks. */
function withEmptyNamespace<T>(host: Host, inside: NamespaceRecord | undefined, act: (path: string) => T): T {
  const user = inside === undefined ? undefined : host.open(`/proc/${inside.pid}/ns/user`, 0);
  const join = [
    op('setns', 0, CLONE.NEWUSER.toString(16)),
    op('nest', inside === undefined ? '' : sameIds(inside)),
    op('unshare', CLONE.NEWNET.toString(16)),
  ];
  const keeper = host.launch({
    namespaces: user === undefined ? CLONE.NEWNET : 0,
    sibling: false,
    ops: encodeOps([...(user === undefined ? [] : join), op('sync', 'created')]),
    stdio: ['null', 'null', 'null'],
    descriptors: user === undefined ? [] : [user],
  });
  if (user !== undefined) host.close(user);
  try {
    host.receiveMessage(keeper);
    return act(`/proc/${keeper.pid}/ns/net`);
  } finally {
    endStage(host, keeper);
  }
}

/** The end of its control socket ends it. */
function endStage(host: Host, stage: Launched): void {
  host.close(stage.control);
  host.wait(stage);
  host.close(stage.status);
  host.close(stage.pidfd);
}
