import { HostError, type Host } from '../host/host.ts';
import { findNamed } from './containers.ts';
import type { Context } from './context.ts';
import { findContext } from './context.ts';
import { Failure } from './failure.ts';
import { lacking, ROOT_NEEDS, statusOf } from './own-capabilities.ts';

/**
 * The generator refuses by name what of systemd's sandbox would break a start (quadlet/sandbox.ts); it does not see drop-ins of the generated
 * service, nor units that somebody else wrote. What of it a start then meets shows as an error of the kernel. Here such an error gets the
 * name of the option, which systemd is asked for: only after a failure, so that starts do not pay.
 */
export function namingSandbox<T>(host: Host, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw named(host, error);
  }
}

function named(host: Host, error: unknown): unknown {
  if (!(error instanceof HostError || error instanceof Failure)) return error;
  const context = findContext(host);
  if (!context.inUnit) return error;
  const [first = '', ...more] = error instanceof Failure ? error.lines : [error.message];
  const cause = causeOf(host, context, first);
  if (cause === undefined) return error;
  return new Failure(error instanceof Failure ? error.status : 125, [
    `${first}; ${context.own.unit}: ${cause}`,
    ...more,
  ]);
}

/**
 * A start that a filter killed could say nothing; ExecStopPost= may still get as far as this (systemd.exec(5), $EXIT_CODE). The line for
 * it, when the start of `name` has not come to a container. systemd is not asked: a filter may well forbid that.
 */
export function killedByFilter(host: Host, context: Context, name: string): string | undefined {
  if (!context.inUnit || host.environment('EXIT_CODE') !== 'killed' || host.environment('EXIT_STATUS') !== 'SYS')
    return undefined;
  if (findNamed(host, name)?.state !== undefined) return undefined;
  return `the start was killed for a system call that is not allowed; ${context.own.unit}: SystemCallFilter= in [Service] is in the way; ${FILTER_HINT}`;
}

const FILTER_HINT = 'it must allow what makes a container: @system-service @mount @privileged';

function causeOf(host: Host, context: Context, text: string): string | undefined {
  return capabilityCause(host, text) ?? MET.map(met => settingCause(host, context, met, text)).find(Boolean);
}

function capabilityCause(host: Host, text: string): string | undefined {
  if (host.euid !== 0 || !/not permitted|permission denied|new namespaces/i.test(text)) return undefined;
  const missing = lacking(
    statusOf(host),
    'CapBnd',
    text.startsWith('netavark') ? [...ROOT_NEEDS, 'CAP_SYS_PTRACE'] : ROOT_NEEDS,
  );
  if (missing.length === 0) return undefined;
  return `CapabilityBoundingSet= in [Service] takes ${missing.join(' ')} away, which a start needs; leave it in, or use DropCapability= in [Container]`;
}

/** An error that an option may cause, and the options, as `systemctl show` has them. */
interface Met {
  readonly error: RegExp;
  readonly options: string;
  readonly hint: string;
  /** Only a user manager has the trouble with it. */
  readonly elsewhere?: boolean;
  /** Named when systemd does not tell. */
  readonly fallback?: string;
}

/** Behind this, the hint for a user manager. */
const ELSEWHERE = '; a system unit with User= can have it';

const MET: readonly Met[] = [
  {
    error: /no-new-privileges/,
    options:
      'NoNewPrivileges DynamicUser SystemCallFilter SystemCallArchitectures SystemCallLog RestrictAddressFamilies RestrictNamespaces ' +
      'MemoryDenyWriteExecute RestrictRealtime RestrictSUIDSGID LockPersonality',
    hint: 'remove it, or add AmbientCapabilities=CAP_SETUID CAP_SETGID',
    elsewhere: true,
    fallback: 'NoNewPrivileges',
  },
  {
    error: /user namespace that this runs in|Invalid gid|Invalid uid/,
    options:
      'PrivateUsers PrivateTmp PrivateDevices PrivateNetwork PrivateIPC PrivateMounts MountAPIVFS BindLogSockets BindPaths ' +
      'BindReadOnlyPaths TemporaryFileSystem RootDirectory RootImage MountImages ExtensionImages ExtensionDirectories ' +
      'NetworkNamespacePath IPCNamespacePath ProtectSystem ProtectHome ProtectKernelTunables ProtectKernelModules ' +
      'ProtectKernelLogs ProtectClock ProtectHostname ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths',
    hint: 'remove it',
    elsewhere: true,
    fallback: 'PrivateUsers',
  },
  {
    error: /read-only file system/i,
    options: 'ProtectSystem ProtectHome ReadOnlyPaths DynamicUser',
    hint: 'add ReadWritePaths= with the directory, or remove it',
  },
  {
    error: /the bounding set/,
    options: '',
    hint: 'leave them in it, or use DropCapability= in [Container]',
    fallback: 'CapabilityBoundingSet',
  },
  { error: /no runtime directory/, options: 'ProtectHome InaccessiblePaths TemporaryFileSystem', hint: 'remove it' },
  { error: /function not implemented/i, options: 'RestrictNamespaces SystemCallFilter', hint: 'remove it' },
  { error: /a sibling process cannot be made/, options: 'PrivatePIDs', hint: 'remove it', fallback: 'PrivatePIDs' },
  { error: /^hostname .*not permitted/i, options: 'ProtectHostname SystemCallFilter', hint: 'remove it' },
  { error: /not ours to divide/, options: 'ProtectControlGroups', hint: 'remove it' },
  {
    error: /the stage ended before|was killed before it worked|not permitted/i,
    options: 'SystemCallFilter',
    hint: FILTER_HINT,
  },
];

function settingCause(host: Host, context: Context, met: Met, text: string): string | undefined {
  if (!met.error.test(text)) return undefined;
  const on = optionsOn(host, context, met.options.split(' '));
  const names = on.length === 0 && met.fallback !== undefined ? [met.fallback] : on;
  if (names.length === 0) return undefined;
  const user = met.elsewhere === true && context.own.manager === 'user';
  const hint = user ? `remove it${ELSEWHERE}` : met.hint;
  return `${names.map(name => `${name}=`).join(' ')} in [Service] is in the way; ${hint}`;
}

/** Those of the unit that are set, by `systemctl show`; none when the manager cannot be asked. */
function optionsOn(host: Host, context: Context, names: readonly string[]): string[] {
  const { unit, manager } = context.own;
  const argv = [
    'systemctl',
    ...(manager === 'user' ? ['--user'] : []),
    'show',
    `--property=${names.join(',')}`,
    '--',
    unit,
  ];
  const environment = host.environmentList().filter(word => /^(XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS)=/.test(word));
  try {
    const { stdout, signal } = host.run({ argv, environment, stdout: 'capture', stderr: 'capture', timeout: 10_000 });
    // What killed the start kills whom we ask.
    if (signal === SIGSYS) return names.filter(name => name === FILTER);
    const values = new Map(
      stdout.split('\n').map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    return names.filter(name => !OFF.has(values.get(name) ?? ''));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    // The filter behind this takes clone3(2) away, also from us.
    return error.code === 'ENOSYS' && names.includes(NO_CLONE) ? [NO_CLONE] : [];
  }
}

const SIGSYS = 31;
const FILTER = 'SystemCallFilter';
const NO_CLONE = 'RestrictNamespaces';
const OFF = new Set(['', 'no', '~', '[not set]']);
