/**
 * `network connect` and `disconnect`: hosts and resolv.conf of a running container, and of those that share its network, say what they would say after
 * a start in these networks. They are written in place, since the containers have them mounted.
 */
import { HostError, type Host } from '../host/host.ts';
import { listContainers, readContainer, type Container } from '../run/containers.ts';
import { lockName } from '../run/locks.ts';
import type { ContainerState } from '../run/state.ts';
import { movedHosts, type Move } from './etc-files.ts';
import { contains, parseAddress, parseSubnet } from './ip.ts';
import type { NetavarkAnswer } from './netavark.ts';
import { DNS_FORWARD } from './pasta.ts';
import type { NetworkRecord } from './records.ts';
import { reconnect, type ResolverRecord } from './resolvers.ts';

type Running = Container & { readonly state: ContainerState };
type Connection = ResolverRecord['connection'];

export interface Change {
  readonly move: Omit<Move, 'names'>;
  readonly connection: (before: Connection) => Connection;
}

/** Not under the lock of the networks, which a start takes when it has that of its name. */
export function moveFiles(host: Host, store: string, container: Running, { move, connection }: Change): void {
  const hostname = (host.readFileIfExists(`${container.bundle}/hostname`, 4096) ?? '').trim();
  const names = [...new Set([hostname, container.name])].filter(name => name !== '' && !/\s/.test(name));
  for (const { name, bundle, state } of [container, ...sharers(host, container)]) {
    const lock = lockName(host, store, name);
    try {
      const now = readContainer(host, bundle, name).state;
      if (now === undefined || now.id !== state?.id) continue;
      const hosts = host.readFileIfExists(`${bundle}/hosts`);
      if (hosts !== undefined) host.writeFile(`${bundle}/hosts`, movedHosts(hosts, { ...move, names }));
      reconnect(host, bundle, now, connection);
    } finally {
      lock.release();
    }
  }
}

/** Members of its pod, and containers with `--network container:` of it. */
function sharers(host: Host, { name, state }: Running): Container[] {
  const space = namespaceOf(host, state.pid);
  return listContainers(host).filter(
    one =>
      one.name !== name &&
      one.state?.network.kind === 'container' &&
      space !== undefined &&
      namespaceOf(host, one.state.pid) === space,
  );
}

function namespaceOf(host: Host, pid: number): string | undefined {
  try {
    return pid > 0 ? host.readlink(`/proc/${pid}/ns/net`) : undefined;
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** With the servers of a network that has names. */
export function withNames(before: Connection, { nameservers, search }: NetavarkAnswer): Connection {
  const own: Partial<Connection> = before.ownResolver === true ? before : {};
  return {
    ...before,
    nameservers: [...new Set([...(own.nameservers ?? []), ...nameservers])],
    search: [...new Set([...(own.search ?? []), ...search])],
    ownResolver: true,
  };
}

/** Without the servers of a network; of the last one with names nothing stays. */
export function withoutNames(before: Connection, { subnets }: NetworkRecord, isRoot: boolean): Connection {
  if (before.ownResolver !== true) return before;
  const ranges = subnets.flatMap(({ subnet }) => parseSubnet(subnet) ?? []);
  const inside = (server: string): boolean => {
    const address = parseAddress(server);
    return address !== undefined && ranges.some(range => contains(range, address));
  };
  const nameservers = (before.nameservers ?? []).filter(server => !inside(server));
  if (nameservers.length > 0) return { ...before, nameservers };
  return { mode: before.mode, nameservers: isRoot ? [] : [DNS_FORWARD] };
}
