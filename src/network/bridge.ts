import { addressesMeet } from '../base/addresses.ts';
import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Host } from '../host/host.ts';
import type { PortRequest, RunRequest } from '../plan/request.ts';
import type { NetworkPlace, NetworkState as Kept } from '../run/parts.ts';
import {
  readState,
  staleAttachments,
  withNetworkLock,
  withoutNetworkLock,
  writeState,
  type Attachment,
  type NetworkState,
} from './ipam.ts';
import { startAccountBridge } from './account-bridge.ts';
import { awaitListening } from './naming.ts';
import type { NamespaceRecord } from './namespace.ts';
import { checkHelpers } from './helper-version.ts';
import { hasLeases, leaseAddress } from './dhcp.ts';
import { networkConfiguration, runNetavark, type NetavarkAnswer } from './netavark.ts';
import type { Connected } from './network.ts';
import { nameOf, placeIn, type Placed } from './placement.ts';
import { choosePorts, portInUse, takenPort } from './ports.ts';
import type { NetworkRecord } from './records.ts';
import { takeDown } from './take-down.ts';
import type { BridgeData } from './users.ts';

/**
 * Networks that netavark sets up in the namespace of the stage: root's default bridge berth0, and those of `network create`. The attachment
 * is written first, with what netavark is told: after a crash at any point the next start finds it and takes down what was set up.
 */
export function startBridge(host: Host, request: RunRequest, place: NetworkPlace): Result<Connected, Problem> {
  if (place.uid !== 0) return startAccountBridge(host, request, place);
  return withNetworkLock(host, () => {
    const before = readState(host);
    const state = takeDown(host, before, staleAttachments(host, before, place.bundle)).state;
    const ports = choosePorts(host, request.ports);
    const clash = portClash(host, state, ports);
    if (clash !== undefined) return err(clash);
    const placed = placeIn(host, place.store, state, request);
    if (placed.isErr()) return err(placed.error);
    const done = attach(host, state, place.bundle, {
      bundle: place.bundle,
      netns: place.netnsPath,
      name: place.name,
      ports,
      dns: request.dns.filter(server => server !== 'none'),
      placed: placed.value,
    });
    return done.map(answer => connected(placed.value, place.bundle, answer));
  }).map(found => {
    const { nameservers, ownResolver } = found.connection;
    if (ownResolver === true) awaitListening(host, host.pid, nameservers);
    return found;
  });
}

export interface AttachRequest {
  readonly bundle: string;
  readonly netns: string;
  readonly name: string;
  readonly ports: readonly PortRequest[];
  readonly dns: readonly string[];
  readonly placed: readonly Placed[];
  /** Of an account. */
  readonly inside?: NamespaceRecord;
}

/** Under the lock: notes the attachment, lets netavark make it, and takes both back when it fails. */
export function attach(
  host: Host,
  state: NetworkState,
  key: string,
  request: AttachRequest,
): ReturnType<typeof runNetavark> {
  const checked = checkHelpers(host, state);
  if (checked.isErr()) return err(checked.error);
  const { name, ports, dns } = request;
  const placed = request.placed.map(one =>
    hasLeases(one.record) ? { mac: leaseAddress(one.record, name), ...one } : one,
  );
  const configuration = networkConfiguration({ name, id: containerId(name), ports, dns, networks: placed });
  const attachment: Attachment = {
    bundle: request.bundle,
    ports: ports.flatMap(portWords),
    networks: Object.fromEntries(placed.map(({ record, addresses }) => [record.name, addresses])),
    configuration,
  };
  const noted = { ...checked.value, attachments: { ...state.attachments, [key]: attachment } };
  writeState(host, noted);
  const firewall = request.inside !== undefined && rulesStand(state, placed) ? 'none' : 'nftables';
  const run = () => runNetavark(host, 'setup', request.netns, configuration, request.inside, firewall);
  // A server on the wire may let one wait for seconds; there are neither rules nor names that two netavarks could change at once.
  const leased = placed.every(({ record }) => hasLeases(record));
  const done = leased ? withoutNetworkLock(host, run) : run();
  const now = leased ? readState(host) : noted;
  if (done.isErr()) writeState(host, takeDown(host, now, [key], false).state);
  else writeState(host, { ...now, attachments: { ...now.attachments, [key]: { ...attachment, made: true } } });
  return done;
}

/**
 * The rules of a network are made with its first container; for a further one netavark spends three quarters of its time to find them as they are. Only of accounts: their
 * namespace is nobody else's, and netavark publishes nothing there. Of root's networks each start mends what a reload of the host's rules took away.
 */
function rulesStand(state: NetworkState, placed: readonly Placed[]): boolean {
  const made = Object.values(state.attachments).filter(one => one.made === true);
  return placed.every(({ record }) => {
    const rules = rulesOf(record);
    return made.some(one => one.networks[record.name] !== undefined && rulesOf(toldOf(one, record.name)) === rules);
  });
}

const toldOf = ({ configuration }: Attachment, network: string): NetworkRecord | undefined =>
  (JSON.parse(configuration) as { network_info: Record<string, NetworkRecord | undefined> }).network_info[network];

/** All that rules may come from. */
function rulesOf(record: NetworkRecord | undefined): string {
  const { no_default_route: _, ...options } = record?.options ?? {};
  return JSON.stringify({ ...record, options });
}

/** What the containers' files say of a bridge, and the state that takes it down. */
export function connected(placed: readonly Placed[], bundle: string, answer: NetavarkAnswer): Connected {
  const data: BridgeData = { bundle, networks: placed.map(({ record }) => record.name) };
  const gateway = placed.flatMap(({ record }) => record.subnets).find(subnet => subnet.gateway !== undefined)?.gateway;
  const leased = placed.every(({ record }) => hasLeases(record));
  const named = placed.some(({ record }) => record.dns_enabled) && answer.nameservers.length > 0;
  return {
    state: { kind: 'bridge', data },
    connection: {
      mode: 'bridge',
      addresses: [...placed.flatMap(({ addresses }) => addresses), ...(leased ? answer.addresses : [])],
      nameservers: answer.nameservers,
      ...(gateway === undefined ? {} : { hostAddress: gateway }),
      ...(named ? { search: answer.search, ownResolver: true } : {}),
    },
  };
}

export function stopBridge(host: Host, kept: Kept): Result<void, Problem[]> {
  const { bundle } = kept.data as BridgeData;
  return withNetworkLock(host, () => {
    const before = readState(host);
    const keys = Object.entries(before.attachments).filter(([, one]) => one.bundle === bundle);
    if (keys.length === 0) return ok(undefined);
    const { state, problems } = takeDown(
      host,
      before,
      keys.map(([key]) => key),
    );
    writeState(host, state);
    return problems.length === 0 ? ok(undefined) : err(problems);
  });
}

/** netavark wants an id that names the container for as long as its rules stand: the name is unique and the same at the next start. */
function containerId(name: string): string {
  return Array.from(name, letter => letter.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

function portWords(port: PortRequest): string[] {
  return Array.from({ length: port.count }, (_, i) => `${port.hostAddress}:${port.hostPort + i}/${port.protocol}`);
}

/** netavark redirects packets without asking who listens: a port that a program or another container has is refused here. */
export function portClash(host: Host, state: NetworkState, ports: readonly PortRequest[]): Problem | undefined {
  for (const port of ports) {
    const wanted = portWords(port);
    for (const attachment of Object.values(state.attachments)) {
      const same = attachment.ports.find(taken => wanted.some(word => meets(word, taken)));
      const number = same?.slice(same.lastIndexOf(':') + 1);
      if (number !== undefined) {
        return problem('port-in-use', `port ${number} is in use by container ${nameOf(attachment)}`);
      }
    }
    const taken = takenPort(host, port);
    if (taken !== undefined) return portInUse(host, port.protocol, taken);
  }
  return undefined;
}

function meets(one: string, other: string): boolean {
  const split = (word: string): [string, string] => [
    word.slice(0, word.lastIndexOf(':')),
    word.slice(word.lastIndexOf(':')),
  ];
  const [address, port] = split(one);
  const [otherAddress, otherPort] = split(other);
  return port === otherPort && addressesMeet(address, otherAddress);
}
