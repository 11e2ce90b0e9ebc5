/**
 * Theory of operation: the host's resolvers change (another network, a VPN). berth-resolvers.path sees it and starts `berth network resolvers`:
 * each running container's resolv.conf is written anew, in place, since the container has that file mounted. What the container has changed
 * itself stays. pasta forwards its own address to the first server that the host had when it started: where that is another one now,
 * containers ask the new servers directly. So does aardvark-dns of an account, once it is started again; root's reads /etc/resolv.conf.
 */
import { HostError, type Host } from '../host/host.ts';
import { findContainer, listContainers, writeState } from '../run/containers.ts';
import type { ContainerState } from '../run/state.ts';
import { hostResolver, nameserversOf, resolvText, type Connection, type ResolverWishes } from './etc-files.ts';
import { DNS_FORWARD } from './pasta.ts';

/** Kept in state.json: what resolv.conf was made from. */
export interface ResolverRecord {
  readonly wishes: ResolverWishes;
  readonly connection: Pick<Connection, 'mode' | 'nameservers' | 'search' | 'ownResolver'>;
  /** What pasta's address stands for. */
  readonly target: string;
  readonly text: string;
}

/** The server that a pasta which starts now forwards to; empty: none. */
export const forwardTarget = (host: Host): string =>
  nameserversOf(host.readFileIfExists('/etc/resolv.conf') ?? '')[0] ?? '';

/** Servers of the host that are reached from another namespace as well. */
export const reachableServers = (host: Host): string[] =>
  nameserversOf(hostResolver(host)).filter(server => !/^127\.|^::1$|%/.test(server));

/** Writes the resolv.conf of the containers of this account anew; the names of those that have another one now. */
export function renewResolvers(host: Host): string[] {
  const base = hostResolver(host);
  const target = forwardTarget(host);
  const renewed: string[] = [];
  for (const { name, bundle, state } of listContainers(host)) {
    const record = recordOf(state);
    if (state === undefined || record === undefined) continue;
    const { nameservers } = record.connection;
    const stale = target !== record.target && reachableServers(host).length > 0;
    const connection =
      !stale || nameservers === undefined
        ? record.connection
        : { ...record.connection, nameservers: nameservers.filter(one => one !== DNS_FORWARD) };
    const text = resolvText(base, record.wishes, connection);
    try {
      if (text === record.text || host.readFileIfExists(`${bundle}/resolv.conf`) !== record.text) continue;
      host.writeFile(`${bundle}/resolv.conf`, text);
      writeState(host, bundle, { ...state, network: { ...state.network, resolver: { ...record, text } } });
    } catch (error) {
      // It has ended meanwhile.
      if (!(error instanceof HostError) || error.code !== 'ENOENT') throw error;
      continue;
    }
    renewed.push(name);
  }
  return renewed;
}

const recordOf = (state: ContainerState | undefined): ResolverRecord | undefined =>
  state?.network.resolver as ResolverRecord | undefined;

/** That of another container, whose file was copied. */
export const resolverOf = (host: Host, name: string): ResolverRecord | undefined =>
  recordOf(findContainer(host, name)?.state);
