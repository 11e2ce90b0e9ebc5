import { NETWORK } from './options-shared.ts';
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
    'show what the containers of a pod wrote to the journal',
    [
      flag('follow', 'go on', { short: 'f' }),
      text('tail', 'N', 'only the last lines'),
      text('container', 'NAME', 'only one of them', { short: 'c' }),
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
