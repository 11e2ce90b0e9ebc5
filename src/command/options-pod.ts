import { NETWORK, RESOURCES } from './options-shared.ts';
import { flag, integer, list, native, size, text, words } from './rows.ts';
import type { OptionRow, VerbRow } from './types.ts';

const IDS: readonly OptionRow[] = [
  text('userns', 'MODE', 'user namespace'),
  words('uidmap', 'MAP', 'map user ids'),
  words('gidmap', 'MAP', 'map group ids'),
  text('subuidname', 'NAME', 'name in /etc/subuid'),
  text('subgidname', 'NAME', 'name in /etc/subgid'),
];
const ALL = flag('all', 'all pods', { short: 'a' });
const IGNORE = flag('ignore', 'a missing pod is no error', { short: 'i' });
const TIME = integer('time', 'SECONDS', 'time between stop signal and kill', { short: 't' });
const ID_FILE = list('pod-id-file', 'FILE', 'the pod whose id is in this file');
const FORCE = flag('force', 'end what still runs', { short: 'f' });
const FORMAT = text('format', 'FORMAT', 'json, or a template');
const POD = { program: 'pod' } as const;

const LIMITED = 'give the limit to the containers, or to a slice that is Slice= in their [Service]';
/** Of these the pod of the peer has its own: it is a control group there. */
const LIMITS: readonly OptionRow[] = [
  ...['blkio-weight', 'blkio-weight-device', 'cpu-shares', 'cpus', 'cpuset-cpus', 'cpuset-mems'],
  ...['device-read-bps', 'device-write-bps', 'memory', 'memory-swap'],
].flatMap(name => RESOURCES.filter(row => row.name === name).map(row => ({ ...row, refused: LIMITED })));
const NO_IMAGE = 'accepted for compatibility; the holder of the namespaces is built in';

/** What the peer has besides: for the members, or nothing that a pod of units could do. */
const MORE: readonly OptionRow[] = [
  ...LIMITS,
  text('cgroup-parent', 'PATH', 'parent cgroup', { refused: 'use Slice= in [Service] of the containers' }),
  list('device', '[-]HOST[:TARGET[:rwm]]', 'add a device to every container'),
  list('gpus', 'GPU', 'add GPUs', { refused: 'name the devices with --device' }),
  text('hosts-file', 'FILE', 'what /etc/hosts begins with instead of that of the host: a file or none'),
  flag('infra', 'accepted for compatibility; a pod always has a holder (--share none: it shares nothing)'),
  text('infra-command', 'COMMAND', NO_IMAGE),
  text('infra-image', 'IMAGE', NO_IMAGE),
  flag('no-hostname', 'every container keeps the /etc/hostname of its image'),
  flag('no-hosts', 'every container keeps the /etc/hosts of its image'),
  text('pid', 'MODE', 'process namespace', { refused: 'use --share +pid, or give --pid to the containers' }),
  text('restart', 'POLICY', 'restart policy of the containers', {
    refused: 'use Restart= in [Service] of the containers, or give them --restart',
  }),
  list('security-opt', 'OPTION', 'seccomp=, apparmor=, label= and so on, of every container'),
  flag('share-parent', 'accepted for compatibility; the containers have the control groups of their units'),
  size('shm-size-systemd', 'SIZE', 'size of /run for systemd', { refused: 'give the containers a --tmpfs /run' }),
  text('uts', 'MODE', 'host name namespace: private, host or ns:PATH'),
  list('volumes-from', 'CONTAINER[:OPTIONS]', 'mount the binds and volumes of another container in every container'),
];

export const POD_CREATE: VerbRow = native(
  'pod create',
  '[NAME]',
  'make a pod; nothing is started',
  [
    text('name', 'NAME', 'name of the pod', { short: 'n' }),
    text('infra-name', 'NAME', 'name of the container that holds the namespaces (default NAME-infra)'),
    text('infra-conmon-pidfile', 'FILE', 'where the process id of the holder is written'),
    text('exit-policy', 'POLICY', 'what happens when the last container has ended: stop or continue'),
    flag('replace', 'replace a pod of this name'),
    list('label', 'NAME=VALUE', 'set a label', { short: 'l' }),
    list('label-file', 'FILE', 'read labels from a file'),
    text('pod-id-file', 'FILE', 'write the id of the pod to this file'),
    text('share', 'LIST', 'namespaces that the containers share: ipc, net, pid, uts or none; + adds to ipc,net,uts'),
    size('shm-size', 'SIZE', 'size of /dev/shm'),
    words('sysctl', 'NAME=VALUE', 'set a kernel parameter of the namespaces'),
    list('volume', '[SOURCE:]TARGET[:OPTIONS]', 'mount a directory or a volume in every container', { short: 'v' }),
    ...MORE,
    ...IDS,
    ...NETWORK.filter(row => row.name !== 'expose' && row.name !== 'publish-all'),
  ],
  { most: 1, ...POD },
);

export const POD_VERBS: readonly VerbRow[] = [
  POD_CREATE,
  native('pod exists', 'POD', 'tell by the exit status whether there is a pod', [], { least: 1, most: 1, ...POD }),
  native(
    'pod inspect',
    'POD...',
    'show all that is known of pods',
    [text('format', 'FORMAT', 'json, or a template', { short: 'f' })],
    { least: 1, ...POD },
  ),
  native(
    'pod kill',
    'POD...',
    'send a signal to the containers of pods',
    [ALL, text('signal', 'SIGNAL', 'which (default KILL)', { short: 's' })],
    POD,
  ),
  native(
    'pod logs',
    'POD',
    'show what the containers of a pod wrote, merged in time order',
    [
      text('container', 'NAME', 'only one of them, by name or id', { short: 'c' }),
      flag('color', 'colour names, warnings and errors'),
      flag('follow', 'wait for more', { short: 'f' }),
      flag('names', 'show the name before each line; it is there when there are several containers', { short: 'n' }),
      text('since', 'TIME', 'only lines since'),
      integer('tail', 'N', 'only the last N lines'),
      flag('timestamps', 'show the time before each line', { short: 't' }),
      text('until', 'TIME', 'only lines until'),
    ],
    { least: 1, most: 1, ...POD },
  ),
  native(
    'pod ls',
    '',
    'list pods',
    [
      list('filter', 'NAME=VALUE', 'only those that match', { short: 'f' }),
      FORMAT,
      flag('no-trunc', 'do not shorten'),
      flag('noheading', 'no heading', { short: 'n' }),
      flag('quiet', 'only ids', { short: 'q' }),
    ],
    { most: 0, ...POD },
  ),
  native('pod pause', 'POD...', 'freeze the containers of pods', [ALL], POD),
  native(
    'pod prune',
    '',
    'remove pods that have ended, with their containers',
    [flag('force', 'do not ask; needed, since nothing asks', { short: 'f' })],
    { most: 0, ...POD },
  ),
  native('pod restart', 'POD...', 'stop pods and start them again', [ALL], POD),
  native('pod rm', 'POD...', 'remove pods', [ALL, IGNORE, FORCE, ID_FILE, TIME], POD),
  native('pod start', 'POD...', 'start pods and their containers', [ALL, ID_FILE], POD),
  native(
    'pod stats',
    '[POD...]',
    'show what the containers of pods use of the machine',
    [
      ALL,
      FORMAT,
      flag('no-reset', 'leave what stands on the terminal'),
      flag('no-stream', 'look once'),
      flag('no-trunc', 'do not shorten'),
    ],
    POD,
  ),
  native('pod stop', 'POD...', 'stop pods', [ALL, IGNORE, ID_FILE, TIME], POD),
  native('pod top', 'POD [FIELD...]', "show the processes of a pod's containers", [], {
    least: 1,
    stopAtOperand: true,
    ...POD,
  }),
  native('pod unpause', 'POD...', 'let the containers of pods go on', [ALL], POD),
];
