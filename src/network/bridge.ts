import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import { CLONE, type Host } from '../host/host.ts';
import { encodeOps } from '../ops/encode.ts';
import type { PortRequest, RunRequest } from '../plan/request.ts';
import type { NetworkPlace, NetworkState } from '../run/parts.ts';
import {
  chooseAddress,
  gatewayOf,
  readPool,
  staleLeases,
  withNetworkLock,
  withoutLeases,
  writePool,
  type Lease,
  type Pool,
} from './ipam.ts';
import { networkConfiguration, runNetavark, withoutPorts } from './netavark.ts';
import type { Connected } from './network.ts';
import { choosePorts, portInUse, takenPort } from './ports.ts';

/** Kept in state.json: which lease is ours. */
interface BridgeData {
  readonly address: string;
  readonly bundle: string;
}

/**
 * root's default network: bridge berth0, set up by netavark in the namespace of the stage. The lease is written first, with what netavark
 * is told: after a crash at any point the next start finds it and takes down what was set up.
 */
export function startBridge(
  host: Host,
  request: RunRequest,
  place: NetworkPlace,
  options: string,
): Result<Connected, Problem> {
  const wishes = parseOptions(options);
  if (wishes.isErr()) return err(wishes.error);
  return withNetworkLock(host, () => {
    const before = readPool(host);
    const pool = takeDown(host, before, staleLeases(host, before, place.bundle)).pool;
    const ports = choosePorts(host, request.ports);
    const clash = portClash(host, pool, ports);
    if (clash !== undefined) return err(clash);
    const address = chooseAddress(pool, wishes.value.ip);
    if (address === undefined) return err(noAddress(pool, wishes.value.ip));
    const gateway = gatewayOf(pool);
    const configuration = networkConfiguration({
      ...wishes.value,
      name: place.name,
      id: containerId(place),
      address,
      ports,
      aliases: request.networkAliases,
      subnet: pool.subnet,
      gateway,
    });
    const lease: Lease = { bundle: place.bundle, ports: ports.flatMap(portWords), configuration };
    const leased = { ...pool, leases: { ...pool.leases, [address]: lease } };
    writePool(host, leased);
    const done = runNetavark(host, 'setup', place.netnsPath, configuration);
    if (done.isErr()) {
      writePool(host, takeDown(host, leased, [address]).pool);
      return err(done.error);
    }
    const data: BridgeData = { address, bundle: place.bundle };
    return ok({
      state: { kind: 'bridge', data },
      connection: { mode: 'bridge', addresses: [address], hostAddress: gateway, nameservers: [] },
    });
  });
}

export function stopBridge(host: Host, state: NetworkState): Result<void, Problem[]> {
  const { address, bundle } = state.data as BridgeData;
  return withNetworkLock(host, () => {
    const before = readPool(host);
    if (before.leases[address]?.bundle !== bundle) return ok(undefined);
    const { pool, problems } = takeDown(host, before, [address]);
    writePool(host, pool);
    return problems.length === 0 ? ok(undefined) : err(problems);
  });
}

/**
 * The container's namespace, and with it its interface, went with its last process; netavark still has to remove the rules of the
 * published ports, and wants a namespace to look into: it gets an empty one. For the last container the interface is made there once
 * more: netavark removes the bridge and its rules only after it has removed an interface. (A bridge without a carrier would also mislead
 * pasta on a host that has no default route.)
 */
function takeDown(host: Host, pool: Pool, addresses: readonly string[]): { pool: Pool; problems: Problem[] } {
  const problems: Problem[] = [];
  if (addresses.length === 0) return { pool, problems };
  const left = withoutLeases(pool, addresses);
  const last = Object.keys(left.leases).length === 0 ? addresses.at(-1) : undefined;
  withEmptyNamespace(host, path => {
    for (const address of addresses) {
      const configuration = pool.leases[address]?.configuration ?? '';
      if (address === last) runNetavark(host, 'setup', path, withoutPorts(configuration));
      const done = runNetavark(host, 'teardown', path, configuration);
      if (done.isErr()) problems.push(done.error);
    }
  });
  return { pool: left, problems };
}

interface Wishes {
  readonly ip?: string;
  readonly mac?: string;
  readonly interfaceName?: string;
}

/** `ip=`, `mac=`, `interface_name=` of `--network bridge:…` (podman-run(1)). */
function parseOptions(options: string): Result<Wishes, Problem> {
  const wishes: { ip?: string; mac?: string; interfaceName?: string } = {};
  for (const option of options === '' ? [] : options.split(',')) {
    const [key = '', value = ''] = [option.slice(0, option.indexOf('=')), option.slice(option.indexOf('=') + 1)];
    if (key === 'ip') wishes.ip = value;
    else if (key === 'mac') wishes.mac = value;
    else if (key === 'interface_name' && /^[A-Za-z0-9_.-]{1,15}$/.test(value)) wishes.interfaceName = value;
    else {
      const hint = 'ip=, mac= and interface_name= are known';
      return err(problem('network-option', `--network bridge: option ${option} is not understood`, { hint }));
    }
  }
  return ok(wishes);
}

/** netavark wants an id that names the container for as long as its rules stand: the bundle's path is unique and the same at the next start. */
function containerId(place: NetworkPlace): string {
  return Array.from(place.name, letter => letter.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

function portWords(port: PortRequest): string[] {
  return Array.from({ length: port.count }, (_, i) => `${port.hostAddress}:${port.hostPort + i}/${port.protocol}`);
}

/** netavark redirects packets without asking who listens: a port that a program or another container has is refused here. */
function portClash(host: Host, pool: Pool, ports: readonly PortRequest[]): Problem | undefined {
  for (const port of ports) {
    const wanted = portWords(port);
    for (const [, lease] of Object.entries(pool.leases)) {
      const same = lease.ports.find(taken => wanted.some(word => meets(word, taken)));
      const number = same?.slice(same.lastIndexOf(':') + 1);
      if (number !== undefined) {
        return problem('port-in-use', `port ${number} is in use by container ${nameOf(lease)}`);
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
  return port === otherPort && (address === otherAddress || isAny(address) || isAny(otherAddress));
}

const isAny = (address: string): boolean => ['', '0.0.0.0', '::'].includes(address);

const nameOf = (lease: Lease): string => lease.bundle.split('/').at(-1) ?? '';

function noAddress(pool: Pool, wanted: string | undefined): Problem {
  if (wanted === undefined) return problem('network-full', `the network berth, ${pool.subnet}, has no free address`);
  const lease = pool.leases[wanted];
  const reason = lease === undefined ? `not in ${pool.subnet}` : `in use by container ${nameOf(lease)}`;
  return problem('network-address', `--ip ${wanted}: the address is ${reason}`);
}

/** An empty network namespace for as long as `act` runs: a stage that waits in it. */
function withEmptyNamespace<T>(host: Host, act: (path: string) => T): T {
  const keeper = host.launch({
    namespaces: CLONE.NEWNET,
    sibling: false,
    ops: encodeOps([{ name: 'sync', fields: ['created'] }]),
    stdio: ['null', 'null', 'null'],
    descriptors: [],
  });
  try {
    host.receiveMessage(keeper);
    return act(`/proc/${keeper.pid}/ns/net`);
  } finally {
    // The end of its control socket ends it.
    host.close(keeper.control);
    host.wait(keeper);
    host.close(keeper.status);
    host.close(keeper.pidfd);
  }
}
