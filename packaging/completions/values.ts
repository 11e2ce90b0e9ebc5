import type { OptionRow, VerbRow } from '../../src/command/types.ts';
import type { Source } from './rows.ts';

/** What the value of an option may be, as far as that is known: words, and names that are asked for. */
export interface Values {
  readonly words: readonly string[];
  readonly from: readonly Source[];
}

/** For the same option of every verb. */
const ANYWHERE: Readonly<Record<string, string>> = {
  attach: 'stdin stdout stderr',
  cgroupns: 'host private',
  cgroups: 'split enabled no-conmon disabled',
  condition: 'stopped exited removing created running paused healthy unhealthy',
  container: '@containers',
  'exit-policy': 'continue stop',
  for: '@accounts',
  from: 'podman',
  'health-on-failure': 'none kill restart stop',
  hostuser: '@accounts',
  image: '@images',
  'image-volume': 'anonymous tmpfs ignore',
  ipc: 'host none private shareable',
  'ipam-driver': 'host-local dhcp none',
  'log-driver': 'journald passthrough none k8s-file json-file',
  'log-level': 'trace debug info warn warning error fatal panic',
  network: 'none host pasta bridge private @networks',
  pid: 'host private',
  pod: '@pods',
  policy: 'always missing never newer',
  priority: 'emerg alert crit err warning notice info debug',
  pull: 'always missing never newer',
  restart: 'no always unless-stopped on-failure',
  sdnotify: 'container conmon healthy ignore',
  secret: '@secrets',
  signal: 'HUP INT QUIT KILL USR1 USR2 TERM CONT STOP',
  'stop-signal': 'HUP INT QUIT KILL USR1 USR2 TERM',
  subgidname: '@accounts',
  subuidname: '@accounts',
  systemd: 'true false always',
  type: 'container image volume network pod all',
  tz: 'local',
  userns: 'host keep-id nomap auto',
  uts: 'host private',
  volume: '@volumes @files',
  'volumes-from': '@containers',
  // In the container.
  workdir: '',
};

/** Of one verb. */
const OF_VERB: Readonly<Record<string, string>> = {
  'check format': 'text json sarif',
  'commit format': 'oci docker',
  'graph format': 'text dot svg json',
  'images sort': 'created id repository size tag',
  'image pull format': 'json progress',
  'network create driver': 'bridge macvlan ipvlan',
  'ps sort': 'command created id image names runningfor status',
  'pull format': 'json progress',
  'save format': 'docker-archive oci-archive oci-dir',
  'secret create driver': 'file',
  'volume create driver': 'local image',
};

export function valuesOf(row: VerbRow | undefined, option: OptionRow): Values {
  const known = OF_VERB[`${row?.name ?? ''} ${option.name}`] ?? ANYWHERE[option.name] ?? byShape(option);
  const words = known.split(' ').filter(word => word !== '');
  return {
    words: words.filter(word => !word.startsWith('@')),
    from: words.filter(word => word.startsWith('@')).map(word => word.slice(1) as Source),
  };
}

function byShape({ name, value = '', help }: OptionRow): string {
  if (name === 'format') return help.startsWith('json') ? 'json' : '';
  return /^FILE(\||$)|^HOST\[:TARGET/.test(value) || value === 'PROGRAM'
    ? '@files'
    : value === 'DIR'
      ? '@directories'
      : '';
}
