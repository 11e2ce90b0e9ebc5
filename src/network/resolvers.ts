/**
 * Theory of operation: the host's resolvers change (another network, a VPN). berth-resolvers.path sees it and starts `berth network resolvers`:
 * each running container's resolv.conf is written anew, in place, since the container has that file mounted. What the container has changed
 * itself stays. pasta forwards its own address to the first server that the host had when it started: where that is another one now,
 * containers ask the new servers directly. So does aardvark-dns of an account, once it is started again; root's reads /etc/resolv.conf.
 */
import type { Host, Lock } from '../host/host.ts';
import { listContainers, readContainer, writeState, type Container } from '../run/containers.ts';
import { lockName, tryLockName } from '../run/locks.ts';
import type { ContainerState } from '../run/state.ts';
import { hostResolvers, nameserversOf, resolvText, type Connection, type ResolverWishes } from './etc-files.ts';
import { DNS_FORWARD } from './pasta.ts';

/** Kept in state.json: what resolv.conf was made from. */
export interface ResolverRecord {
  readonly wishes: ResolverWishes;
  readonly connection: Pick<Connection, 'mode' | 'nameservers' | 'search' | 'ownResolver'>;
  /** What pasta's address stands for. */
  readonly target: string;
  readonly text: string;
}

/** Servers of a resolv.conf of the host (`hostResolvers(…).base`) that are reached from another namespace as well. */
export const reachableServers = (base: string): string[] =>
  nameserversOf(base).filter(server => !/^127\.|^::1$|%/.test(server));

/**
 * Writes the resolv.conf of the containers of this account anew; the names of those that have another one now. Who starts or removes a
 * container has its lock, and its state is what it is under the lock. Those that are busy come last: nobody else waits for them.
 */
export function renewResolvers(host: Host, store: string): string[] {
  const { base, target } = hostResolvers(host);
  const change = (found: Container): Change | undefined => changeOf(host, found, base, target);
  const { renewed, busy } = renewFree(host, store, change);
  for (const found of busy) {
    const lock = lockName(host, store, found.name);
    if (renewLocked(host, found, change, lock)) renewed.push(found.name);
  }
  return renewed;
}

interface Change {
  readonly state: ContainerState;
  readonly record: ResolverRecord;
  readonly text: string;
}
type FindChange = (found: Container) => Change | undefined;

function renewFree(host: Host, store: string, change: FindChange): { renewed: string[]; busy: Container[] } {
  const renewed: string[] = [];
  const busy: Container[] = [];
  host.mkdirs(`${store}/locks`, 0o700);
  for (const found of listContainers(host)) {
    // Without a state it may be about to start, with the resolvers of before.
    if (found.state !== undefined && change(found) === undefined) continue;
    const lock = tryLockName(host, store, found.name);
    if (lock === undefined) busy.push(found);
    else if (renewLocked(host, found, change, lock)) renewed.push(found.name);
  }
  return { renewed, busy };
}

function renewLocked(host: Host, { bundle, name }: Container, change: FindChange, lock: Lock): boolean {
  try {
    const found = readContainer(host, bundle, name);
    const changed = change(found);
    if (changed === undefined) return false;
    const { state, record, text } = changed;
    host.writeFile(`${bundle}/resolv.conf`, text);
    writeState(host, bundle, { ...state, network: { ...state.network, resolver: { ...record, text } } });
    return true;
  } finally {
    lock.release();
  }
}

/** undefined: it has what it should have, or what it has is its own. */
function changeOf(host: Host, { bundle, state }: Container, base: string, target: string): Change | undefined {
  const record = state?.network.resolver as ResolverRecord | undefined;
  if (state === undefined || record === undefined) return undefined;
  const text = textOf(record, base, target);
  const same = text === record.text || host.readFileIfExists(`${bundle}/resolv.conf`) !== record.text;
  return same ? undefined : { state, record, text };
}

function textOf(record: ResolverRecord, base: string, target: string): string {
  const { nameservers } = record.connection;
  const stale = target !== record.target && reachableServers(base).length > 0;
  const connection =
    !stale || nameservers === undefined
      ? record.connection
      : { ...record.connection, nameservers: nameservers.filter(one => one !== DNS_FORWARD) };
  return resolvText(base, record.wishes, connection);
}

/** A running container whose networks are others now, under its lock; what it has changed itself stays. */
export function reconnect(
  host: Host,
  bundle: string,
  state: ContainerState,
  change: (before: ResolverRecord['connection']) => ResolverRecord['connection'],
): void {
  const before = state.network.resolver as ResolverRecord | undefined;
  if (before === undefined) return;
  const { base, target } = hostResolvers(host);
  const record = { ...before, connection: change(before.connection) };
  const text = textOf(record, base, target);
  if (host.readFileIfExists(`${bundle}/resolv.conf`) === before.text) host.writeFile(`${bundle}/resolv.conf`, text);
  writeState(host, bundle, { ...state, network: { ...state.network, resolver: { ...record, text } } });
}
