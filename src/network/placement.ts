import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { chooseAddress, holderOf, type Attachment, type NetworkState } from './ipam.ts';
import { contains, parseAddress, parseSubnet } from './ip.ts';
import { DEFAULT_NETWORK, readNetwork, type NetworkRecord } from './records.ts';

/** A network with the place that a container has in it. */
export interface Placed {
  readonly record: NetworkRecord;
  readonly addresses: readonly string[];
  readonly interfaceName: string;
  readonly mac?: string;
  readonly aliases: readonly string[];
}

export interface Wishes {
  readonly addresses: readonly string[];
  readonly mac?: string;
  readonly interfaceName?: string;
  readonly aliases: readonly string[];
}

/** Finds the networks of a request and gives it an address in each subnet of them. */
export function placeIn(
  host: Host,
  store: string,
  state: NetworkState,
  request: Pick<RunRequest, 'networks' | 'networkAliases'>,
): Result<Placed[], Problem> {
  const placed: Placed[] = [];
  const names = new Set<string>();
  for (const [index, text] of (request.networks.length === 0 ? ['bridge'] : request.networks).entries()) {
    const colon = text.indexOf(':');
    const name = networkOf(text);
    if (names.has(name)) return err(problem('network-twice', `--network ${name}: it is named twice`));
    names.add(name);
    const wishes = parseWishes(colon < 0 ? '' : text.slice(colon + 1));
    if (wishes.isErr()) return err(wishes.error);
    const record = readNetwork(host, store, name);
    if (record === undefined) return err(unknownNetwork(name));
    const one = placeInOne(state, record, wishes.value, `eth${index}`, request.networkAliases);
    if (one.isErr()) return err(one.error);
    placed.push(one.value);
  }
  return ok(placed);
}

/** Another interface is the way out. */
export function withoutDefaultRoute(placed: Placed): Placed {
  return { ...placed, record: { ...placed.record, options: { ...placed.record.options, no_default_route: 'true' } } };
}

/** The network of a value of `--network`. */
export function networkOf(value: string): string {
  const colon = value.indexOf(':');
  return realName(colon < 0 ? value : value.slice(0, colon));
}

export const realName = (name: string): string =>
  ['bridge', 'default', 'private', 'podman'].includes(name) ? DEFAULT_NETWORK : name;

export function unknownNetwork(name: string): Problem {
  return problem('network-unknown', `--network ${name}: there is no such network`, {
    hint: `make it with 'berth network create ${name}' or a .network unit, or use bridge, host or none`,
  });
}

/** One address for each subnet; those that were asked for belong to the subnet that holds them. */
export function placeInOne(
  state: NetworkState,
  record: NetworkRecord,
  wishes: Wishes,
  interfaceName: string,
  aliases: readonly string[],
): Result<Placed, Problem> {
  const addresses: string[] = [];
  const inside = (text: string, subnet: string): boolean => {
    const [range, address] = [parseSubnet(subnet), parseAddress(text)];
    return range !== undefined && address !== undefined && contains(range, address);
  };
  const stray = wishes.addresses.find(text => !record.subnets.some(({ subnet }) => inside(text, subnet)));
  if (stray !== undefined) return err(wrongAddress(record, stray));
  for (const subnet of record.ipam_options.driver === 'host-local' ? record.subnets : []) {
    const wanted = wishes.addresses.find(text => inside(text, subnet.subnet));
    const address = chooseAddress(state, record.name, subnet, wanted);
    if (address === undefined) {
      if (wanted === undefined) {
        return err(problem('network-full', `the network ${record.name}, ${subnet.subnet}, has no free address`));
      }
      const holder = holderOf(state, record.name, wanted);
      return err(holder === undefined ? wrongAddress(record, wanted) : takenAddress(wanted, holder));
    }
    addresses.push(address);
  }
  return ok({
    record,
    addresses,
    interfaceName: wishes.interfaceName ?? interfaceName,
    aliases: [...aliases, ...wishes.aliases],
    ...(wishes.mac === undefined ? {} : { mac: wishes.mac }),
  });
}

function wrongAddress(record: NetworkRecord, wanted: string): Problem {
  if (record.subnets.length === 0)
    return problem('network-address', `--ip ${wanted}: the network ${record.name} has no subnet to give addresses of`);
  const subnets = record.subnets.map(({ subnet }) => subnet).join(', ');
  return problem('network-address', `--ip ${wanted}: the address is not in ${subnets}, or not for containers`);
}

function takenAddress(wanted: string, holder: Attachment): Problem {
  return problem('network-address', `--ip ${wanted}: the address is in use by container ${nameOf(holder)}`);
}

export const nameOf = (attachment: Attachment): string => attachment.bundle.split('/').at(-1) ?? '';

/** `ip= ip6= mac= interface_name= alias=` of `--network NAME:…` (podman-run(1)). */
export function parseWishes(options: string): Result<Wishes, Problem> {
  const wishes: { addresses: string[]; mac?: string; interfaceName?: string; aliases: string[] } = {
    addresses: [],
    aliases: [],
  };
  for (const option of options === '' ? [] : options.split(',')) {
    const [key = '', value = ''] = [option.slice(0, option.indexOf('=')), option.slice(option.indexOf('=') + 1)];
    if ((key === 'ip' || key === 'ip6') && parseAddress(value) !== undefined) wishes.addresses.push(value);
    else if (key === 'mac') wishes.mac = value;
    else if (key === 'alias' && value !== '') wishes.aliases.push(value);
    else if (key === 'interface_name' && /^[A-Za-z0-9_.-]{1,15}$/.test(value)) wishes.interfaceName = value;
    else {
      const hint = 'ip=, ip6=, mac=, alias= and interface_name= are known';
      return err(problem('network-option', `--network: option ${option} is not understood`, { hint }));
    }
  }
  return ok(wishes);
}
