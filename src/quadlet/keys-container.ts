import {
  argumentsKey,
  argsKey,
  boolKey,
  commonKeys,
  lastArgsKey,
  listKey,
  mappingKeys,
  pairsKey,
  remapKeys,
  scalarKey,
  table,
  wordsKey,
  type KeyRow,
} from './keys.ts';

const CODE = { special: true };
const LABEL = 'SELinux label of the payload';

const whatRuns = (): readonly KeyRow[] => [
  scalarKey('ContainerName', 'name', '4.4', 'name of the container (default systemd-%N)', { ...CODE, check: 'name' }),
  scalarKey('CgroupsMode', 'cgroups', '5.3', 'split, enabled, no-conmon or disabled', CODE),
  scalarKey(
    'Notify',
    'sdnotify',
    '4.4',
    'who says ready: false, true, healthy, port:N, http:N/PATH or unix:PATH',
    CODE,
  ),
  scalarKey(
    'LogDriver',
    'log-driver',
    '4.5',
    'journald, passthrough, none, or k8s-file (json-file is the same): a file',
    { empty: true },
  ),
  wordsKey(
    'LogOpt',
    'log-opt',
    '5.2',
    'of a file: path=FILE, max-size=10m, max-file=2 (with the old ones, FILE.1 and so on)',
  ),
  scalarKey('Entrypoint', 'entrypoint', '5.0', "replaces the image's entrypoint; empty clears it", {
    joined: true,
    empty: true,
  }),
  scalarKey('Timezone', 'tz', '4.4', 'time zone, or local'),
  scalarKey('PidsLimit', 'pids-limit', '4.7', 'number of processes; -1: no limit', { check: 'count' }),
  scalarKey('ShmSize', 'shm-size', '4.7', 'size of /dev/shm', { check: 'size' }),
  scalarKey('WorkingDir', 'workdir', '4.6', 'working directory in the container'),
  scalarKey('IP', 'ip', '4.5', 'IPv4 address in the network', { check: 'address' }),
  scalarKey('IP6', 'ip6', '4.5', 'IPv6 address in the network', { check: 'address' }),
  scalarKey('HostName', 'hostname', '4.6', 'host name in the container'),
  scalarKey('StopSignal', 'stop-signal', '5.2', 'signal that stops the payload', { check: 'signal' }),
  scalarKey('StopTimeout', 'stop-timeout', '5.0', 'seconds between stop signal and kill (default 10)', {
    check: 'count',
  }),
  scalarKey('Pull', 'pull', '4.6', 'always, missing, never or newer'),
  scalarKey('Memory', 'memory', '5.5', 'memory limit', { check: 'size' }),
  scalarKey('Retry', 'retry', '5.5', 'how often a pull is tried again', { check: 'count' }),
  scalarKey('RetryDelay', 'retry-delay', '5.5', 'time between these', { check: 'duration' }),
];

const surroundings = (): readonly KeyRow[] => [
  listKey('NetworkAlias', 'network-alias', '5.2', 'further name in the network'),
  listKey('Ulimit', 'ulimit', '4.7', 'resource limit, NAME=SOFT[:HARD]'),
  listKey('DNS', 'dns', '4.7', 'name server'),
  listKey('DNSOption', 'dns-option', '4.7', 'option of resolv.conf'),
  listKey('DNSSearch', 'dns-search', '4.7', 'search domain'),
  listKey('GroupAdd', 'group-add', '5.1', 'supplementary group, or keep-groups'),
  listKey('AddHost', 'add-host', '5.3', 'line of /etc/hosts, NAME:ADDRESS'),
  listKey('Tmpfs', 'tmpfs', '4.5', 'tmpfs, TARGET[:OPTIONS]'),
  boolKey('RunInit', 'init', '4.4', 'a reaper as process 1'),
  boolKey('EnvironmentHost', 'env-host', '4.4', 'pass our own environment on'),
  boolKey('HttpProxy', 'http-proxy', '5.7', 'pass the proxy variables on'),
  boolKey('ReadOnlyTmpfs', 'read-only-tmpfs', '4.8', 'with ReadOnly=: writable tmpfs on /run, /tmp, /var/tmp'),
  listKey('Network', 'network', '4.4', 'none, host, pasta, bridge, NAME, NAME.network or NAME.container', CODE),
];

const confinement = (): readonly KeyRow[] => [
  boolKey('NoNewPrivileges', 'security-opt', '4.4', 'no new privileges by setuid or file capabilities', {
    whenTrue: 'no-new-privileges',
    joined: true,
  }),
  boolKey('SecurityLabelDisable', 'security-opt', '4.4', 'no SELinux separation', { whenTrue: 'label=disable' }),
  boolKey('SecurityLabelNested', 'security-opt', '4.6', 'SELinux labels inside the container', {
    whenTrue: 'label=nested',
  }),
  scalarKey('SecurityLabelType', 'security-opt', '4.4', LABEL, { prefix: 'label=type:' }),
  scalarKey('SecurityLabelFileType', 'security-opt', '4.4', 'SELinux label of its files', {
    prefix: 'label=filetype:',
  }),
  scalarKey('SecurityLabelLevel', 'security-opt', '4.4', 'SELinux level', { prefix: 'label=level:' }),
  scalarKey('AppArmor', 'security-opt', '5.8', 'AppArmor profile', { prefix: 'apparmor=' }),
  wordsKey('AddDevice', 'device', '4.4', 'device, HOST[:TARGET[:rwm]]; with `-` in front only when it exists', CODE),
  scalarKey('SeccompProfile', 'security-opt', '4.4', 'seccomp profile, or unconfined', {
    prefix: 'seccomp=',
    empty: true,
  }),
  wordsKey('DropCapability', 'cap-drop', '4.4', 'drop a capability, or all', { lower: true, check: 'capability' }),
  wordsKey('AddCapability', 'cap-add', '4.4', 'add a capability', { lower: true, check: 'capability' }),
  wordsKey('Sysctl', 'sysctl', '4.6', 'kernel parameter, NAME=VALUE'),
  boolKey('ReadOnly', 'read-only', '4.4', 'read-only root file system'),
  boolKey('VolatileTmp', '', '4.4', 'tmpfs on /tmp', { ...CODE, deprecated: 'Tmpfs=/tmp' }),
  scalarKey('User', 'user', '4.4', 'user of the payload', CODE),
  scalarKey('Group', '', '4.4', 'group of the payload, with User=', CODE),
  ...mappingKeys(),
  ...remapKeys(),
];

const contents = (): readonly KeyRow[] => [
  listKey('Volume', 'volume', '4.4', 'mount, [SOURCE:]TARGET[:OPTIONS]', CODE),
  scalarKey('AutoUpdate', 'label', '4.6', 'registry or local', { prefix: 'io.containers.autoupdate=' }),
  listKey('ExposeHostPort', 'expose', '4.4', 'note a port, N[-M][/tcp|udp]', { check: 'expose' }),
  listKey('PublishPort', 'publish', '4.4', 'publish a port, [[ADDRESS:]HOSTPORT:]PORT[/PROTOCOL]', { check: 'port' }),
  pairsKey('Environment', 'env', '4.4', 'environment variable'),
  pairsKey('Label', 'label', '4.4', 'label'),
  pairsKey('Annotation', 'annotation', '4.4', 'annotation'),
  argsKey('Mask', 'security-opt', '4.6', 'paths to hide, with `:` between them', { prefix: 'mask=' }),
  argsKey('Unmask', 'security-opt', '4.6', 'paths to show, with `:` between them, or ALL', { prefix: 'unmask=' }),
  argsKey('EnvironmentFile', 'env-file', '4.4', 'file with environment variables', { path: true }),
  argsKey('Secret', 'secret', '4.5', 'secret'),
  argsKey('Mount', 'mount', '4.5', 'mount, type=TYPE,OPTIONS', CODE),
];

const health = (): readonly KeyRow[] => [
  scalarKey('HealthCmd', 'health-cmd', '4.5', 'check: a command, port:N, http:N/PATH or unix:PATH'),
  scalarKey('HealthInterval', 'health-interval', '4.5', 'time between checks', { check: 'duration' }),
  scalarKey('HealthOnFailure', 'health-on-failure', '4.5', 'none, kill, restart or stop'),
  scalarKey('HealthLogDestination', 'health-log-destination', '5.3', 'where results are kept'),
  scalarKey('HealthMaxLogCount', 'health-max-log-count', '5.3', 'how many results are kept', { check: 'count' }),
  scalarKey('HealthMaxLogSize', 'health-max-log-size', '5.3', 'characters of a result', { check: 'count' }),
  scalarKey('HealthRetries', 'health-retries', '4.5', 'failures until it counts', { check: 'count' }),
  scalarKey('HealthStartPeriod', 'health-start-period', '4.5', 'time to come up', { check: 'duration' }),
  scalarKey('HealthTimeout', 'health-timeout', '4.5', 'time of one check', { check: 'duration' }),
  scalarKey('HealthStartupCmd', 'health-startup-cmd', '4.5', 'check while coming up'),
  scalarKey('HealthStartupInterval', 'health-startup-interval', '4.5', 'time between these', { check: 'duration' }),
  scalarKey('HealthStartupRetries', 'health-startup-retries', '4.5', 'failures until it counts', { check: 'count' }),
  scalarKey('HealthStartupSuccess', 'health-startup-success', '4.5', 'successes until it is up', { check: 'count' }),
  scalarKey('HealthStartupTimeout', 'health-startup-timeout', '4.5', 'time of one check', { check: 'duration' }),
];

const commands = (): readonly KeyRow[] => [
  scalarKey('Pod', 'pod', '5.0', 'the pod, NAME.pod', CODE),
  boolKey('StartWithPod', '', '5.3', 'start when the pod starts (default true)', CODE),
  argumentsKey('4.4'),
  scalarKey('Image', '', '4.4', 'the image, or NAME.image, NAME.build', CODE),
  scalarKey('Rootfs', 'rootfs', '4.5', 'a directory in place of the image', CODE),
  lastArgsKey('Exec', '', '4.4', "the command, in place of the image's", CODE),
  lastArgsKey('ReloadCmd', '', '5.5', 'command in the container that reloads', CODE),
  scalarKey('ReloadSignal', '', '5.5', 'signal that reloads', { ...CODE, check: 'signal' }),
];

/** [Container] */
export const containerKeys = table('Container', () => [
  ...commonKeys(),
  ...whatRuns(),
  ...surroundings(),
  ...confinement(),
  ...contents(),
  ...health(),
  ...commands(),
]);
