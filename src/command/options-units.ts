import { flag, hosted, list, text, words } from './rows.ts';
import type { VerbRow } from './types.ts';

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
