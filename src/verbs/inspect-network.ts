import type { Host } from '../host/host.ts';
import { readState } from '../network/ipam.ts';
import { readNetwork, type NetworkRecord } from '../network/records.ts';
import { isAlive } from '../run/containers.ts';
import type { ContainerState } from '../run/state.ts';

type Json = Record<string, unknown>;
export type Ports = Record<string, { HostIp: string; HostPort: string }[]>;

/** podman-inspect(1), `NetworkSettings`. As with the peer, the outer addresses are those of a container in one network. */
export function networkSettingsOf(host: Host, store: string, bundle: string, state: ContainerState): Json {
  const networks =
    state.network.kind === 'bridge' ? networksOf(host, store, bundle) : { [state.network.kind]: UNKNOWN };
  const [only, ...others] = Object.values(networks);
  return {
    EndpointID: '',
    ...(others.length > 0 ? NOWHERE : (only?.place ?? NOWHERE)),
    Bridge: '',
    SandboxID: '',
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SandboxKey: isAlive(host, state) ? `/proc/${state.pid}/ns/net` : '',
    Ports: portsOf(state),
    Networks: Object.fromEntries(
      Object.entries(networks).map(([name, { place, more }]) => [
        name,
        { EndpointID: '', ...place, ...more, DriverOpts: null, IPAMConfig: null, Links: null },
      ]),
    ),
  };
}

const NOWHERE = {
  IPAddress: '',
  IPPrefixLen: 0,
  Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  IPv6Gateway: '',
  MacAddress: '',
};

/** `none`, `host`, `pasta`: addresses are nobody's, or the host's. */
const UNKNOWN: Attached = { place: NOWHERE, more: { NetworkID: '', Aliases: [] } };

interface Attached {
  readonly place: typeof NOWHERE;
  readonly more: Json;
}

/** What netavark was told of this network (netavark(1), "setup"). */
interface Told {
  readonly networks?: Readonly<Record<string, { aliases?: readonly string[]; static_mac?: string }>>;
}

function networksOf(host: Host, store: string, bundle: string): Record<string, Attached> {
  const found: Record<string, Attached> = {};
  for (const attachment of Object.values(readState(host).attachments).filter(one => one.bundle === bundle)) {
    const told = (JSON.parse(attachment.configuration) as Told).networks ?? {};
    for (const [name, addresses] of Object.entries(attachment.networks)) {
      const record = readNetwork(host, store, name);
      const mac = told[name]?.static_mac ?? '';
      found[name] = {
        place: { ...NOWHERE, ...placeOf(addresses, record), MacAddress: mac },
        more: { NetworkID: record?.id ?? '', Aliases: told[name]?.aliases ?? [] },
      };
    }
  }
  return found;
}

function placeOf(addresses: readonly string[], record: NetworkRecord | undefined): Partial<typeof NOWHERE> {
  const of = (six: boolean): [address: string, prefix: number, gateway: string] => {
    const isSix = (text: string): boolean => text.includes(':') === six;
    const subnet = record?.subnets.find(one => isSix(one.subnet));
    const address = addresses.find(isSix) ?? '';
    return [
      address,
      address === '' ? 0 : Number(subnet?.subnet.split('/')[1] ?? 0),
      address === '' ? '' : (subnet?.gateway ?? ''),
    ];
  };
  const [IPAddress, IPPrefixLen, Gateway] = of(false);
  const [GlobalIPv6Address, GlobalIPv6PrefixLen, IPv6Gateway] = of(true);
  return { IPAddress, IPPrefixLen, Gateway, GlobalIPv6Address, GlobalIPv6PrefixLen, IPv6Gateway };
}

export function portsOf(state: ContainerState): Ports {
  const found: Ports = {};
  for (const port of state.ports) {
    const key = `${port.port}/${port.protocol}`;
    (found[key] ??= []).push({ HostIp: port.host === '' ? '0.0.0.0' : port.host, HostPort: String(port.hostPort) });
  }
  return found;
}
