import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { findContainer } from '../run/containers.ts';
import type { NetworkPlace, NetworkState } from '../run/parts.ts';
import { stopAccountBridge } from './account-bridge.ts';
import { startBridge, stopBridge } from './bridge.ts';
import {
  hostAddressIn,
  hostAddressOf,
  shareEtcFiles,
  writeEtcFiles,
  type Connection,
  type WrittenResolver,
} from './etc-files.ts';
import { startPasta, stopPasta, type PastaData } from './pasta.ts';
import type { ResolverRecord } from './resolvers.ts';

/** What a kind of network gives: its state for the way down, and what /etc/hosts and /etc/resolv.conf must say. */
export interface Connected {
  readonly state: NetworkState;
  readonly connection: Connection;
}

/**
 * Connects the network namespace of a stage that waits at `created`, and writes hosts, resolv.conf and hostname into the bundle.
 * An account's default is pasta; root's is the bridge, since pasta refuses root. Nothing is left behind when it fails.
 */
export function setUp(host: Host, request: RunRequest, place: NetworkPlace): Result<NetworkState, Problem> {
  const wish = wishOf(request, place.uid);
  return connect(host, request, place, wish).andThen(({ state, connection }): Result<NetworkState, Problem> => {
    const other = wish.mode === 'container' ? findContainer(host, wish.options) : undefined;
    const theirs = other === undefined ? undefined : host.readFileIfExists(`${other.bundle}/hosts`);
    const gateway = theirs === undefined ? hostAddressOf(connection) : hostAddressIn(theirs);
    const asked = request.addHosts.find(({ address }) => address === 'host-gateway');
    if (asked !== undefined && gateway === undefined) {
      tearDown(host, state);
      return err(noGateway(asked.name));
    }
    if (other !== undefined) {
      shareEtcFiles(host, request, place, other.bundle);
      const shared = other.state?.network.resolver;
      return ok(shared === undefined ? state : { ...state, resolver: shared });
    }
    const written = writeEtcFiles(host, request, place, connection);
    return ok({ ...state, resolver: resolverRecord(request, connection, written) });
  });
}

function noGateway(name: string): Problem {
  const text = `--add-host ${name}:host-gateway: no address of the host is known in this network`;
  return problem('no-gateway', text, { hint: 'give the address' });
}

/** Takes down what `setUp` made; running it twice is fine. It goes on after an error and reports all. */
export function tearDown(host: Host, state: NetworkState): Result<void, Problem[]> {
  if (state.kind === 'pasta') return stopPasta(host, state.data as PastaData);
  if (state.kind === 'bridge') return host.euid === 0 ? stopBridge(host, state) : stopAccountBridge(host, state);
  return ok(undefined);
}

function resolverRecord(request: RunRequest, connection: Connection, written: WrittenResolver): ResolverRecord {
  const { dns, dnsSearch, dnsOptions } = request;
  const { mode, nameservers, search, ownResolver } = connection;
  return {
    wishes: { dns, dnsSearch, dnsOptions },
    connection: {
      mode,
      ...(nameservers === undefined ? {} : { nameservers }),
      ...(search === undefined ? {} : { search }),
      ...(ownResolver === undefined ? {} : { ownResolver }),
    },
    ...written,
  };
}

interface Wish {
  readonly mode: string;
  readonly options: string;
}

function wishOf(request: RunRequest, uid: number): Wish {
  const [first = 'default'] = request.networks;
  const colon = first.indexOf(':');
  const mode = colon < 0 ? first : first.slice(0, colon);
  const options = colon < 0 ? '' : first.slice(colon + 1);
  if (mode !== 'default' && mode !== 'private') return { mode, options };
  return { mode: uid === 0 ? 'bridge' : 'pasta', options };
}

function connect(host: Host, request: RunRequest, place: NetworkPlace, wish: Wish): Result<Connected, Problem> {
  const { mode, options } = wish;
  if (['none', 'host', 'container', 'ns'].includes(mode)) {
    return ok({ state: { kind: mode }, connection: { mode } });
  }
  if (mode === 'pasta') {
    // A pod's name is one of its holder's.
    const alias = request.networkAliases.find(name => name !== request.pod);
    if (alias !== undefined && request.networks[0]?.startsWith('pasta') !== true)
      host.write(2, `berth: warning: --network-alias ${alias} has no effect: nobody asks pasta for names\n`);
    return startPasta(host, request, place, options);
  }
  return startBridge(host, request, place);
}
