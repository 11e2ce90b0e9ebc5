import { HEALTH, NETWORK, PULLING, RESOURCES } from './options-shared.ts';
import { duration, flag, integer, list, native, size, text, words } from './rows.ts';
import type { OptionRow, VerbRow } from './types.ts';

const LATER = 'not in this version of Berth';

const WHAT_RUNS: readonly OptionRow[] = [
  text('name', 'NAME', 'name of the container'),
  flag('rm', 'remove the container when it ends'),
  flag('rmi', 'remove container and image when it ends, the image unless another container uses it'),
  flag('replace', 'replace a container of this name'),
  flag('detach', 'run in the background', { short: 'd' }),
  flag('interactive', 'keep standard input open', { short: 'i' }),
  flag('tty', 'give the payload a terminal', { short: 't' }),
  text('detach-keys', 'KEYS', 'key sequence that detaches from a terminal'),
  words('attach', 'STREAM', 'attach to stdin, stdout or stderr', { short: 'a' }),
  flag('sig-proxy', 'hand signals on to the payload (default true)'),
  text('entrypoint', 'COMMAND', "replace the image's entrypoint; a JSON array or one command"),
  list('env', 'NAME=VALUE', 'set an environment variable', { short: 'e' }),
  list('env-file', 'FILE', 'read environment variables from a file'),
  flag('env-host', 'pass our own environment on'),
  list('env-merge', 'NAME=VALUE', "set a variable after the image's, with ${NAME} in the value filled in"),
  list('unsetenv', 'NAME', "remove a variable of the image's environment"),
  flag('unsetenv-all', "remove all variables of the image's environment"),
  flag('http-proxy', 'pass the proxy variables on (default true)'),
  text('workdir', 'DIR', 'working directory: one of the image, or below a mount (another --runtime makes it)', {
    short: 'w',
  }),
  text('user', 'USER[:GROUP]', 'user and group of the payload', { short: 'u' }),
  words('group-add', 'GROUP', 'add a supplementary group, or keep-groups'),
  text('umask', 'OCTAL', 'file mode mask (default 0022)'),
  text('tz', 'ZONE', 'time zone, or local'),
  flag('init', 'run a reaper as process 1'),
  text('init-path', 'PROGRAM', 'the reaper', { refused: 'the reaper is built in; use --init' }),
  text('systemd', 'MODE', 'treat the payload as systemd: true, false or always'),
  text('stop-signal', 'SIGNAL', 'signal that stops the payload'),
  integer('stop-timeout', 'SECONDS', 'time between stop signal and kill (default 10)'),
  integer('timeout', 'SECONDS', 'kill the container after this time; 0: never'),
  text(
    'restart',
    'POLICY',
    'with -d: no, always, unless-stopped or on-failure[:N], N times in an hour; in a unit use Restart=',
  ),
  words('requires', 'CONTAINER', 'start these containers first', { refused: 'use Requires= and After= in [Unit]' }),
  text('pidfile', 'FILE', "write the payload's process id to a file"),
  text('conmon-pidfile', 'FILE', "write the monitor's process id to a file", {
    refused: 'there is no monitor; use --pidfile',
  }),
  text('cidfile', 'FILE', "write the container's id to a file"),
  text('sdnotify', 'MODE', 'who says ready: container, conmon, healthy, ignore, port:N, http:N/PATH or unix:PATH'),
  text('log-driver', 'DRIVER', 'journald, passthrough, none, or k8s-file (json-file is the same): a file'),
  list('log-opt', 'NAME=VALUE', 'of a file: path=FILE, max-size=10m, max-file=2 (with the old ones, FILE.1 and so on)'),
  list('label', 'NAME=VALUE', 'set a label', { short: 'l' }),
  list('label-file', 'FILE', 'read labels from a file'),
  list('annotation', 'NAME=VALUE', 'set an annotation'),
  text('pod', 'NAME', 'join a pod; new:NAME makes it first'),
  text('pod-id-file', 'FILE', 'join the pod whose id is in this file'),
  list('preserve-fd', 'FD', 'pass this descriptor on', {
    refused: 'descriptors are passed by socket units (LISTEN_FDS)',
  }),
  integer('preserve-fds', 'N', 'pass N descriptors on', {
    refused: 'descriptors are passed by socket units (LISTEN_FDS)',
  }),
  text('personality', 'NAME', 'execution domain', { refused: `personalities are ${LATER}` }),
  flag('quiet', 'no progress of a pull', { short: 'q' }),
  flag('disable-content-trust', 'accepted for compatibility; has no effect'),
];

const FILES: readonly OptionRow[] = [
  flag(
    'rootfs',
    'the operand is a directory, not an image; `:O` puts a writable layer over it, `:idmap` (root) mounts it with the ids of the user namespace',
  ),
  flag('read-only', 'make the root read-only'),
  flag('read-only-tmpfs', 'with --read-only: writable tmpfs on /run, /tmp, /var/tmp (default true)'),
  list('volume', '[SOURCE:]TARGET[:OPTIONS]', 'mount a directory or a volume', { short: 'v' }),
  list('mount', 'type=TYPE,...', 'mount a bind, volume, image or tmpfs'),
  list('tmpfs', 'TARGET[:OPTIONS]', 'mount a tmpfs'),
  list('volumes-from', 'CONTAINER[:OPTIONS]', 'mount the binds and volumes of another container: rw, ro, z'),
  text('image-volume', 'MODE', "the image's volumes: anonymous, tmpfs or ignore"),
  size('shm-size', 'SIZE', 'size of /dev/shm'),
  size('shm-size-systemd', 'SIZE', 'size of /run for systemd', {
    refused: `a size of its own is ${LATER}; use --tmpfs`,
  }),
  list('device', '[-]HOST[:TARGET[:rwm]]', 'add a device; with - in front only when it exists'),
  words('device-cgroup-rule', 'RULE', 'rule of the device cgroup', { refused: 'use DeviceAllow= in [Service]' }),
  list('gpus', 'GPU', 'add GPUs', { refused: 'name the devices with --device' }),
  list('secret', 'NAME[,OPTIONS]', 'give a secret as a file or, with type=env, as a variable'),
  list('chrootdirs', 'DIR', 'directories with our own files', { refused: `the option is ${LATER}` }),
  text('hosts-file', 'FILE', 'what /etc/hosts begins with instead of that of the host: a file, image or none'),
  flag('no-hosts', "keep the image's /etc/hosts"),
  flag('no-hostname', "keep the image's /etc/hostname"),
  flag('passwd', 'add the user to /etc/passwd (default true)'),
  text('passwd-entry', 'LINE', 'that line of /etc/passwd: $USERNAME, $UID, $GID, $NAME and $HOME are filled in'),
  text('group-entry', 'LINE', 'the line that /etc/group gets: $GROUPNAME, $GID and $USERLIST are filled in'),
  words('hostuser', 'USER', 'add a user of the host, by name or number, to /etc/passwd'),
];

const CONFINEMENT: readonly OptionRow[] = [
  words('cap-add', 'CAPABILITY', 'add a capability'),
  words('cap-drop', 'CAPABILITY', 'drop a capability'),
  flag('privileged', 'no confinement beyond namespaces'),
  list('security-opt', 'OPTION', 'no-new-privileges, seccomp=, apparmor=, label=, mask=, unmask='),
  text('seccomp-policy', 'POLICY', 'where the profile comes from', {
    refused: 'an image never chooses its profile; use --security-opt',
  }),
  words('sysctl', 'NAME=VALUE', 'set a kernel parameter of the namespaces'),
  words('ulimit', 'NAME=SOFT[:HARD]', 'set a resource limit'),
  text('userns', 'MODE', 'user namespace: host, keep-id, nomap, auto'),
  words('uidmap', 'MAP', 'map user ids'),
  words('gidmap', 'MAP', 'map group ids'),
  text('subuidname', 'NAME', 'name in /etc/subuid'),
  text('subgidname', 'NAME', 'name in /etc/subgid'),
  text('pid', 'MODE', 'process namespace'),
  text('ipc', 'MODE', 'IPC namespace'),
  text('uts', 'MODE', 'host name namespace'),
  text('cgroupns', 'MODE', 'cgroup namespace'),
  text('cgroups', 'MODE', 'split, enabled, no-conmon or disabled'),
  text('cgroup-parent', 'PATH', 'parent cgroup', { refused: 'use Slice= in [Service]' }),
  text('rdt-class', 'NAME', 'class of service', { refused: `the option is ${LATER}` }),
  integer('oom-score-adj', 'N', 'preference of the OOM killer, -1000 to 1000'),
  flag('oom-kill-disable', 'never kill for memory', {
    refused: 'unified cgroups have no such switch; use OOMPolicy= in [Service]',
  }),
];

const TRANSFER: readonly OptionRow[] = [
  text('pull', 'POLICY', 'always, missing, never or newer'),
  ...PULLING,
  integer('retry', 'N', 'how often a pull is tried again'),
  duration('retry-delay', 'TIME', 'time between these'),
];

/** Every option of the peer's `run`: those we have, and those refused by name. */
export const RUN: VerbRow = native(
  'run',
  'IMAGE [COMMAND [ARG...]]',
  'run a container',
  [...WHAT_RUNS, ...FILES, ...CONFINEMENT, ...RESOURCES, ...NETWORK, ...HEALTH, ...TRANSFER],
  { stopAtOperand: true, least: 1 },
);

/** Options of a command that stays with what it runs. */
const OF_RUN_ALONE: ReadonlySet<string> = new Set(['detach', 'detach-keys', 'sig-proxy']);

export const CREATE: VerbRow = {
  ...RUN,
  name: 'create',
  help: 'make a container that `start` runs',
  options: RUN.options.filter(option => !OF_RUN_ALONE.has(option.name)),
};
