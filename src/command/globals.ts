import { flag, list, text } from './rows.ts';
import type { OptionRow } from './types.ts';

const OWN_STORE = 'the store is /var/lib/berth for root, $XDG_DATA_HOME/berth for others; mount a file system there';
const PEER_STORE = 'the store of the peer is not shared; set XDG_DATA_HOME instead';

/** Options before the verb. */
export const GLOBAL_OPTIONS: readonly OptionRow[] = [
  list(
    'module',
    'FILE',
    'module of containers.conf: refused by what would have to follow it, since that file is not read',
  ),
  text('log-level', 'LEVEL', 'accepted for compatibility; warnings and errors are said', {
    choices: ['trace', 'debug', 'info', 'warn', 'warning', 'error', 'fatal', 'panic'],
  }),
  text('runtime', 'PROGRAM', 'run containers with this OCI runtime instead of the built-in one'),
  list('runtime-flag', 'FLAG', 'hand a flag to the runtime named by --runtime', {
    refused: 'name a program by --runtime that adds the flag',
  }),
  text('root', 'DIR', 'directory of the store', { refused: OWN_STORE }),
  text('runroot', 'DIR', 'directory of the state that a reboot clears', {
    refused: 'the state is below /run/berth for root, below $XDG_RUNTIME_DIR for others',
  }),
  text('tmpdir', 'DIR', 'accepted for compatibility; nothing is kept there'),
  text('cgroup-manager', 'NAME', 'accepted for compatibility; systemd manages the cgroups'),
  text('events-backend', 'NAME', 'accepted for compatibility; events are in the journal'),
  text('conmon', 'PROGRAM', 'path of the monitor', { refused: 'there is no monitor process; remove the option' }),
  text('config', 'DIR', 'directory of the registry credentials'),
  list('hooks-dir', 'DIR', 'directory of OCI hooks', {
    refused: 'OCI hooks are not run; use ExecStartPre= and ExecStartPost=',
  }),
  text('network-cmd-path', 'PROGRAM', 'path of pasta', {
    refused: 'the first pasta in PATH is used; remove the option',
  }),
  text('network-config-dir', 'DIR', 'directory of the network definitions'),
  text('imagestore', 'DIR', 'second store', { refused: PEER_STORE }),
  text('storage-driver', 'NAME', 'driver of the store', { refused: 'the store has one layout; remove the option' }),
  list('storage-opt', 'OPTION', 'option of the store', { refused: 'the store has no options; remove the option' }),
  flag('transient-store', 'keep the store out of the disk', { refused: PEER_STORE }),
  text('volumepath', 'DIR', 'directory of the volumes', { refused: PEER_STORE }),
  flag('remote', 'use a service on another machine', {
    short: 'r',
    refused: 'there is no remote service; run berth there by ssh',
  }),
  text('connection', 'NAME', 'connection of a remote service', {
    short: 'c',
    refused: 'there is no remote service; run berth there by ssh',
  }),
  text('url', 'URL', 'address of a remote service', { refused: 'there is no remote service; run berth there by ssh' }),
  text('identity', 'FILE', 'key for a remote service', {
    refused: 'there is no remote service; run berth there by ssh',
  }),
  text('ssh', 'MODE', 'ssh mode for a remote service', {
    refused: 'there is no remote service; run berth there by ssh',
  }),
  text('out', 'FILE', 'send standard output to a file', { refused: 'redirect with > FILE' }),
  text('for', 'ACCOUNT', 'as root: act as this account'),
  flag('syslog', 'accepted; messages go to standard error'),
  flag('print-ops', 'print the operations of a start instead of running it'),
  flag('version', 'print the version', { short: 'v' }),
  flag('help', 'print help', { short: 'h' }),
];
