import { type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import { isNamedNetwork } from '../command/networks.ts';
import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import type { NetworkPlace, NetworkState } from '../run/parts.ts';
import type { ProcessName } from '../run/state.ts';
import { attach, connected, stopBridge } from './bridge.ts';
import { startCarrier } from './carrier.ts';
import { readState, staleAttachments, withNetworkLock } from './ipam.ts';
import { awaitListening, awaitNames } from './naming.ts';
import { missing, readNamespace, type NamespaceRecord } from './namespace.ts';
import type { Connected } from './network.ts';
import { DNS_FORWARD, HOST_ADDRESS, startPorts, stopPasta, type PastaData } from './pasta.ts';
import { networkOf, placeIn, withoutDefaultRoute } from './placement.ts';
import { readNetwork } from './records.ts';
import { takeDown } from './take-down.ts';
import type { BridgeData } from './users.ts';

/** Kept in state.json: the attachment, and what carries the published ports where there are some: our own program, or a pasta. */
interface Data extends BridgeData {
  readonly carrier?: ProcessName;
  readonly pasta?: PastaData;
}
type Carried = Pick<Data, 'carrier' | 'pasta'>;

/**
 * Networks of an account. Bridges, their rules and their names are in the namespace of berth-netns.service. Published ports are not carried through
 * it: a process of the container's own, in its unit, brings them straight into its namespace. So a client's address is seen, and the port is free in
 * the moment the unit has stopped. Ports that are not all of TCP have a pasta, which is the way out as well.
 */
export function startAccountBridge(host: Host, request: RunRequest, place: NetworkPlace): Result<Connected, Problem> {
  const inside = readNamespace(host);
  if (inside === undefined) return err(missing(host, request.networks.find(isNamedNetwork) ?? ''));
  // Not under the lock: it takes most of the time.
  const published = request.ports.length > 0 && !allInternal(host, request, place.store);
  if (request.ports.length > 0 && !published)
    host.write(2, 'berth: warning: nothing is published: all networks of the container are internal\n');
  const carried = published ? carry(host, request, place) : ok<Carried, Problem>({});
  if (carried.isErr()) return err(carried.error);
  const ownWayOut = carried.value.pasta !== undefined;
  const done = withNetworkLock(host, () => enterNetworks(host, request, place, inside, ownWayOut)).andThen(found => {
    const { nameservers, ownResolver } = found.connection;
    if (awaitNames(host) && ownResolver === true) awaitListening(host, inside.pid, nameservers);
    if (readNamespace(host)?.pid === inside.pid) return ok(found);
    // Its way out could not be made.
    stopBridge(host, found.state);
    return err(missing(host, request.networks.find(isNamedNetwork) ?? ''));
  });
  if (done.isErr()) stopCarried(host, carried.value);
  return done.map(found => withCarried(found, carried.value));
}

function carry(host: Host, request: RunRequest, place: NetworkPlace): Result<Carried, Problem> {
  return startCarrier(host, request.ports, place).andThen((carrier): Result<Carried, Problem> =>
    carrier === undefined ? startPorts(host, request.ports, place).map(pasta => ({ pasta })) : ok({ carrier }),
  );
}

function stopCarried(host: Host, { carrier, pasta }: Carried): Result<void, Problem[]> {
  const found = carrier ?? pasta;
  return found === undefined ? ok(undefined) : stopPasta(host, found);
}

function allInternal(host: Host, request: RunRequest, store: string): boolean {
  return request.networks.every(text => readNetwork(host, store, networkOf(text))?.internal === true);
}

function enterNetworks(
  host: Host,
  request: RunRequest,
  place: NetworkPlace,
  inside: NamespaceRecord,
  ownWayOut: boolean,
): Result<Connected, Problem> {
  const before = readState(host);
  const state = takeDown(host, before, staleAttachments(host, before, place.bundle)).state;
  const found = placeIn(host, place.store, state, request);
  if (found.isErr()) return err(found.error);
  const placed = ownWayOut ? found.value.map(withoutDefaultRoute) : found.value;
  const done = attach(host, state, place.bundle, {
    bundle: place.bundle,
    netns: place.netnsPath,
    name: place.name,
    ports: [],
    dns: request.dns.filter(server => server !== 'none'),
    placed,
    inside,
  });
  return done.map(answer => connected(placed, place.bundle, answer));
}

function withCarried({ state, connection }: Connected, carried: Carried): Connected {
  const data: Data = { ...(state.data as BridgeData), ...carried };
  const process = carried.carrier ?? carried.pasta;
  // The gateway is a bridge's address; the host, and the resolver that it asks, are behind pasta.
  const nameservers = connection.ownResolver === true ? connection.nameservers : [DNS_FORWARD];
  return {
    state: { kind: 'bridge', data, ...(process === undefined ? {} : { process }) },
    connection: { ...connection, hostAddress: HOST_ADDRESS, ...(nameservers === undefined ? {} : { nameservers }) },
  };
}

export const hasOwnWayOut = ({ network }: { readonly network: NetworkState }): boolean =>
  network.kind === 'bridge' && (network.data as Partial<Data> | undefined)?.pasta !== undefined;

/** First the ports, so that they are free when the container counts as stopped. */
export function stopAccountBridge(host: Host, state: NetworkState): Result<void, Problem[]> {
  const first = stopCarried(host, state.data as Data);
  const second = stopBridge(host, state);
  const problems = [first, second].flatMap(one => (one.isErr() ? one.error : []));
  return problems.length === 0 ? ok(undefined) : err(problems);
}
