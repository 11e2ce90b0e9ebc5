import { flag, hosted, integer, list, size, text, words } from './rows.ts';
import { NETWORK } from './options-shared.ts';
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
const FORCE = flag('force', 'end what still runs', { short: 'f' });

export const POD_CREATE: VerbRow = hosted(
  'pod create',
  '[NAME]',
  'make a pod',
  [
    text('name', 'NAME', 'name of the pod', { short: 'n' }),
    text('infra-name', 'NAME', 'name of the container that holds the namespaces'),
    text('infra-conmon-pidfile', 'FILE', 'write the process id of the pod to a file'),
    text('exit-policy', 'POLICY', 'what happens when the last container ends: stop or continue'),
    flag('replace', 'replace a pod of this name'),
    list('label', 'NAME=VALUE', 'set a label', { short: 'l' }),
    size('shm-size', 'SIZE', 'size of /dev/shm'),
    list('volume', '[SOURCE:]TARGET[:OPTIONS]', 'mount a directory or a volume', { short: 'v' }),
    ...IDS,
    ...NETWORK.filter(row => row.name !== 'expose' && row.name !== 'publish-all'),
  ],
  { most: 1 },
);
export const POD_START: VerbRow = hosted('pod start', 'POD...', 'start pods', [ALL]);
export const POD_STOP: VerbRow = hosted('pod stop', 'POD...', 'stop pods', [ALL, IGNORE, TIME]);
export const POD_RM: VerbRow = hosted('pod rm', 'POD...', 'remove pods', [ALL, IGNORE, FORCE, TIME]);

export const KUBE_PLAY: VerbRow = hosted(
  'kube play',
  'FILE...',
  'run what a Kubernetes file describes',
  [
    list('annotation', 'NAME=VALUE', 'set an annotation'),
    list('configmap', 'FILE', 'file with a ConfigMap'),
    text('log-driver', 'DRIVER', 'journald, passthrough or none'),
    list('log-opt', 'NAME=VALUE', 'option of the log driver'),
    list('network', 'MODE', 'network of the pods'),
    words('publish', '[[ADDRESS:]HOSTPORT:]PORT[/PROTOCOL]', 'publish a port'),
    flag('replace', 'replace what is there'),
    flag('service-container', 'keep a container that stands for the service'),
    text('service-exit-code-propagation', 'MODE', 'all, any or none'),
    text('userns', 'MODE', 'user namespace'),
  ],
  { least: 1 },
);
export const KUBE_DOWN: VerbRow = hosted(
  'kube down',
  'FILE...',
  'remove what a Kubernetes file described',
  [flag('force', 'remove volumes as well')],
  { least: 1 },
);
