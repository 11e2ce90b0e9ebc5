import { flag, integer, list, native, text, words } from './rows.ts';
import type { VerbRow } from './types.ts';

const NETWORK = { program: 'network' } as const;
const FORMAT = text('format', 'FORMAT', 'json, or a template');

export const NETWORK_CREATE: VerbRow = native(
  'network create',
  '[NAME]',
  'make a network',
  [
    flag('disable-dns', 'no name service in it'),
    words('dns', 'ADDRESS', 'name server that the name service asks'),
    text('driver', 'DRIVER', 'bridge, macvlan or ipvlan', { short: 'd' }),
    list('gateway', 'ADDRESS', 'gateway of the subnet before it'),
    flag('ignore', 'a network that is there is no error'),
    text('interface-name', 'NAME', 'name of the interface'),
    flag('internal', 'no way out'),
    list('ip-range', 'RANGE', 'addresses that are given out'),
    text('ipam-driver', 'DRIVER', 'who gives addresses out: host-local, dhcp (of a macvlan) or none'),
    flag('ipv6', 'IPv6 as well'),
    list('label', 'NAME=VALUE', 'set a label'),
    list('opt', 'NAME=VALUE', 'option of the driver: mtu, vlan, isolate, metric, mode, parent and others', {
      short: 'o',
    }),
    list('route', 'ROUTE', 'static route DESTINATION,GATEWAY[,METRIC]'),
    list('subnet', 'SUBNET', 'addresses in CIDR form'),
  ],
  { most: 1, ...NETWORK },
);

export const NETWORK_VERBS: readonly VerbRow[] = [
  NETWORK_CREATE,
  native(
    'network connect',
    'NETWORK CONTAINER',
    'join a running container to a network',
    [
      words('alias', 'NAME', 'further name in the network'),
      text('ip', 'ADDRESS', 'IPv4 address in the network'),
      text('ip6', 'ADDRESS', 'IPv6 address in the network'),
      text('mac-address', 'ADDRESS', 'hardware address'),
    ],
    { least: 2, most: 2, ...NETWORK },
  ),
  native(
    'network disconnect',
    'NETWORK CONTAINER',
    'take a running container out of a network until its next start, or for good one that it was joined to',
    [flag('force', 'accepted for compatibility; has no effect', { short: 'f' })],
    { least: 2, most: 2, ...NETWORK },
  ),
  native('network exists', 'NETWORK', 'tell by the exit status whether there is a network', [], {
    least: 1,
    most: 1,
    ...NETWORK,
  }),
  native('network hold', '', 'make the network namespace of an account, for berth-netns.service', [], {
    most: 0,
    hidden: true,
    ...NETWORK,
  }),
  native(
    'network inspect',
    'NETWORK...',
    'show all that is known of networks',
    [text('format', 'FORMAT', 'json, or a template', { short: 'f' })],
    { least: 1, ...NETWORK },
  ),
  native(
    'network ls',
    '',
    'list networks',
    [
      list('filter', 'NAME=VALUE', 'only those that match', { short: 'f' }),
      FORMAT,
      flag('no-trunc', 'do not shorten'),
      flag('noheading', 'no heading', { short: 'n' }),
      flag('quiet', 'only names', { short: 'q' }),
    ],
    { most: 0, ...NETWORK },
  ),
  native('network names', '', 'serve the names of the networks, for berth-names.service', [], {
    most: 0,
    hidden: true,
    ...NETWORK,
  }),
  native(
    'network prune',
    '',
    'remove the networks that no container uses',
    [list('filter', 'NAME=VALUE', 'only those that match'), flag('force', 'do not ask', { short: 'f' })],
    { most: 0, ...NETWORK },
  ),
  native('network resolvers', '', "give running containers the host's resolvers, for berth-resolvers.service", [], {
    most: 0,
    hidden: true,
    ...NETWORK,
  }),
  native(
    'network release',
    '',
    'tell the containers of a network namespace that it is gone, for berth-netns.service',
    [],
    {
      most: 0,
      hidden: true,
      ...NETWORK,
    },
  ),
  native(
    'network rm',
    'NETWORK...',
    'remove networks',
    [
      flag('force', 'remove the containers that use it as well, and let a missing network be no error', { short: 'f' }),
      integer('time', 'SECONDS', 'time between stop signal and kill', { short: 't' }),
    ],
    { least: 1, ...NETWORK },
  ),
];
