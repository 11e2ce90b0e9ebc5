import { flag, integer, list, native, text } from './rows.ts';
import type { OptionRow, VerbRow } from './types.ts';

/** The command line of the OCI runtimes; options between `oci` and the action are accepted in front of the action's own. */
const COMMON: readonly OptionRow[] = [
  text('root', 'DIR', 'directory of the state'),
  text('log', 'FILE', 'where errors are written as well'),
  text('log-format', 'FORMAT', 'text or json'),
  flag('debug', 'accepted for compatibility'),
  flag('systemd-cgroup', 'cgroup paths name systemd units'),
  text('rootless', 'MODE', 'accepted for compatibility'),
];
const CREATE: readonly OptionRow[] = [
  text('bundle', 'DIR', 'the bundle (default: the current directory)', { short: 'b' }),
  text('pid-file', 'FILE', "write the payload's process id to a file"),
  text('console-socket', 'PATH', 'socket that receives the terminal'),
  integer('preserve-fds', 'N', 'pass N descriptors on'),
  flag('no-pivot', 'use chroot', { refused: 'a chroot can be left; remove the option' }),
  flag('no-new-keyring', 'keep the session keyring'),
];
const ID = { least: 1, most: 1 };

function oci(
  action: string,
  operands: string,
  help: string,
  options: readonly OptionRow[],
  more: Partial<VerbRow>,
): VerbRow {
  return native(`oci ${action}`, operands, help, [...COMMON, ...options], more);
}

export const OCI_CREATE: VerbRow = oci('create', 'ID', 'make a container of a bundle', CREATE, ID);
export const OCI_START: VerbRow = oci('start', 'ID', 'start it', [], ID);
export const OCI_STATE: VerbRow = oci('state', 'ID', 'print its state', [], ID);
export const OCI_KILL: VerbRow = oci(
  'kill',
  'ID [SIGNAL]',
  'send it a signal',
  [flag('all', 'to all its processes', { short: 'a' })],
  {
    least: 1,
    most: 2,
  },
);
export const OCI_DELETE: VerbRow = oci(
  'delete',
  'ID',
  'remove it',
  [flag('force', 'end it first', { short: 'f' })],
  ID,
);
export const OCI_RUN: VerbRow = oci(
  'run',
  'ID',
  'make it, start it and wait for its end',
  [...CREATE, flag('detach', 'do not wait', { short: 'd' }), flag('keep', 'do not remove it afterwards')],
  ID,
);
export const OCI_EXEC: VerbRow = oci(
  'exec',
  'ID [COMMAND [ARG...]]',
  'run a command in it',
  [
    text('process', 'FILE', 'process object of the runtime specification', { short: 'p' }),
    text('console-socket', 'PATH', 'socket that receives the terminal'),
    text('cwd', 'DIR', 'working directory'),
    list('env', 'NAME=VALUE', 'set an environment variable', { short: 'e' }),
    flag('tty', 'give it a terminal', { short: 't' }),
    text('user', 'UID[:GID]', 'user and group', { short: 'u' }),
    flag('detach', 'do not wait', { short: 'd' }),
    text('pid-file', 'FILE', "write the command's process id to a file"),
    integer('preserve-fds', 'N', 'pass N descriptors on'),
    list('cap', 'CAPABILITY', 'add a capability', { short: 'c', refused: 'exec gets no more than the container' }),
    flag('no-new-privs', 'no new privileges'),
  ],
  { least: 1, stopAtOperand: true },
);

export const OCI_VERBS: readonly VerbRow[] = [
  OCI_CREATE,
  OCI_START,
  OCI_STATE,
  OCI_KILL,
  OCI_DELETE,
  OCI_RUN,
  OCI_EXEC,
];
