/**
 * `network connect` and `disconnect`: hosts and resolv.conf of a running container, and of those that share its network, say what they would say after
 * a start in these networks. They are written in place, since the containers have them mounted.
 */
import { HostError, type Host } from '../host/host.ts';
import type { Spec } from '../plan/spec.ts';
import { listContainers, readContainer, type Container } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { lockName } from '../run/locks.ts';
import type { ContainerState } from '../run/state.ts';
import { addressesOf } from './addresses.ts';
import { hostAddressIn, movedHosts, type Move } from './etc-files.ts';
import { readState, type Attachment, type NetworkState } from './ipam.ts';
import { contains, parseAddress, parseSubnet } from './ip.ts';
import type { NetavarkAnswer } from './netavark.ts';
import { DNS_FORWARD } from './pasta.ts';
import type { NetworkRecord } from './records.ts';
import { reconnect, type ResolverRecord } from './resolvers.ts';

type Running = Container & { readonly state: ContainerState };
type Connection = ResolverRecord['connection'];

export interface Change {
  /** `gateways`: the host's addresses in root's networks before and after; an account's have one for all of them. */
  readonly move: Pick<Move, 'added' | 'removed'> & { readonly gateways: readonly string[] };
  readonly connection: (before: Connection) => Connection;
}

/**
 * Not under the lock of the networks, which a start takes when it has that of its name. The network is changed already, and the files are the
 * containers' to write: what is wrong with those of one is a warning, and the others have theirs.
 */
export function moveFiles(host: Host, store: string, container: Running, change: Change): void {
  let all: Container[] = [container];
  attempt(host, container.name, () => (all = [container, ...sharers(host, container)]));
  for (const one of all) attempt(host, one.name, () => moveOne(host, store, container, one, change));
}

function moveOne(host: Host, store: string, container: Running, { name, bundle, state }: Container, change: Change) {
  const lock = lockName(host, store, name);
  try {
    const now = readContainer(host, bundle, name).state;
    if (now === undefined || now.id !== state?.id) return;
    attempt(host, name, () => {
      const hosts = host.readFileIfExists(`${bundle}/hosts`);
      if (hosts === undefined) return;
      // What is in force now: another may have changed its networks since.
      const attachments = attachmentsOf(readState(host), container);
      const { added, removed, gateways } = change.move;
      const own = [...addressesIn(attachments), ...addressesOf(host, container.state.pid), ...removed];
      const hostNames = [...hostGateways(container.state), ...hostGateways(now)];
      const line = hostMove(hosts, gateways, host.euid === 0 ? gatewaysOf(attachments) : []);
      const move = { added, removed, ...line, own, names: namesOf(host, container), hostNames };
      host.writeFile(`${bundle}/hosts`, movedHosts(hosts, move));
    });
    reconnect(host, bundle, now, change.connection);
  } finally {
    lock.release();
  }
}

function attempt(host: Host, name: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof HostError || error instanceof Failure)) throw error;
    host.write(2, `berth: warning: ${name}: its hosts and resolv.conf may not tell of the change: ${error.message}\n`);
  }
}

/** Its host name is the one that it was started with: the file of that name is the container's to write. */
function namesOf(host: Host, { name, bundle }: Container): string[] {
  const spec = JSON.parse(host.readFile(`${bundle}/config.json`)) as Spec;
  return [...new Set([spec.hostname ?? host.hostName(), name])].filter(one => one !== '' && !/\s/.test(one));
}

/** `--add-host NAME:host-gateway`. */
const hostGateways = ({ asked }: ContainerState): string[] =>
  (asked?.hosts ?? []).flatMap(text => /^(.*):host-gateway$/.exec(text)?.[1] ?? []);

export const attachmentsOf = (state: NetworkState, { bundle }: Container): Attachment[] =>
  Object.values(state.attachments).filter(one => one.bundle === bundle);

export const addressesIn = (attachments: readonly Attachment[]): string[] =>
  attachments.flatMap(one => Object.values(one.networks).flat());

/** The networks as netavark was told of them. */
export const toldIn = (configuration: string): Record<string, NetworkRecord> =>
  (JSON.parse(configuration) as { network_info: Record<string, NetworkRecord> }).network_info;

/** Where root's container reaches the host. */
export const gatewaysOf = (attachments: readonly Attachment[]): string[] =>
  attachments
    .flatMap(({ configuration }) => Object.values(toldIn(configuration)))
    .flatMap(({ subnets }) => subnets.flatMap(({ gateway }) => gateway ?? []));

/** Of a file whose networks had or have `gateways`, by those of now: two changes at once come to the same, whichever is written first. */
export function hostMove(
  hosts: string,
  gateways: readonly string[],
  now: readonly string[],
): Pick<Move, 'lost' | 'gateway'> {
  const lost = gateways.filter(address => !now.includes(address));
  const told = hostAddressIn(hosts);
  const stays = told !== undefined && (lost.length === 0 || now.includes(told));
  return stays ? { lost } : { lost, gateway: now[0] };
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
