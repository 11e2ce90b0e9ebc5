import { allValues, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { NetworkWish } from '../network/wish.ts';
import { isAddress } from '../plan/parse-ports.ts';
import { Failure } from '../run/failure.ts';
import { labelsOf, splitOnce } from './labels.ts';

/** What a `network create` asks for. A Failure (125) names a value that is of the wrong form. */
export function wishOf(command: Command, name: string): NetworkWish {
  const dnsServers = allValues(command, 'dns').flatMap(text => text.split(','));
  const wrong = dnsServers.find(text => !isAddress(text));
  if (wrong !== undefined) throw new Failure(125, `--dns ${wrong}: not an IP address`);
  const interfaceName = lastValue(command, 'interface-name');
  return {
    name,
    driver: lastValue(command, 'driver') ?? 'bridge',
    subnets: subnetsOf(command),
    routes: allValues(command, 'route'),
    ipv6: isSet(command, 'ipv6'),
    internal: isSet(command, 'internal'),
    dns: !isSet(command, 'disable-dns'),
    dnsServers,
    ipamDriver: lastValue(command, 'ipam-driver') ?? 'host-local',
    labels: labelsOf(command),
    options: Object.fromEntries(
      allValues(command, 'opt')
        .flatMap(text => text.split(','))
        .map(text => [splitOnce(text)[0], splitOnce(text)[1] ?? '']),
    ),
    ...(interfaceName === undefined ? {} : { interfaceName }),
  };
}

/** Gateways and ranges belong to the subnet of the same position. */
function subnetsOf(command: Command): NetworkWish['subnets'] {
  const subnets = allValues(command, 'subnet');
  const [gateways, ranges] = [allValues(command, 'gateway'), allValues(command, 'ip-range')];
  const extra = gateways[subnets.length] ?? ranges[subnets.length];
  if (extra !== undefined) throw new Failure(125, `network create: ${extra} belongs to no --subnet; give one for each`);
  return subnets.map((subnet, index) => {
    const [gateway, range] = [gateways[index], ranges[index]];
    return { subnet, ...(gateway === undefined ? {} : { gateway }), ...(range === undefined ? {} : { range }) };
  });
}
