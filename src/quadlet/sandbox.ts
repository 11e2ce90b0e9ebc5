import type { Bytes } from '../host/host.ts';
import { lastEntry, type Entry } from '../unit/document.ts';
import { boolean, splitWords } from '../unit/values.ts';
import { capabilitiesOf } from './capability-set.ts';
import { failAt, type Draft, type Unit } from './model.ts';

/**
 * Who starts the container: the service manager of an account, or the system's for root, for the account of User=, or for one of
 * DynamicUser=, which has no subordinate ids.
 */
export type Way = 'user' | 'root' | 'account' | 'dynamic';

/**
 * [Service] options of systemd.exec(5) that would break a start: refused by name, with what to do. Each was tried on systemd 257 in each way; what is
 * not named here works. The start looks again (run/sandbox.ts), since drop-ins of the generated service are not seen here.
 */
export function sandbox(unit: Unit, draft: Draft, way: Way): void {
  if (unit.service.some(entry => looked().has(entry.key))) {
    refuseAlways(unit, way);
    if (way === 'user') refuseOfUserManager(unit);
    else refuseOfSystem(unit, way);
  }
  // Under strict everything is read-only that is not named; DynamicUser= implies strict, also for an account that exists.
  if (way === 'dynamic' || (way !== 'user' && lastEntry(unit.service, 'ProtectSystem')?.value === 'strict')) {
    const below = way === 'root' ? '' : '/users';
    draft.lines.push(`ReadWritePaths=-/run/berth${below} -/var/lib/berth${below}`);
  }
}

let keys: ReadonlySet<string> | undefined;

/** All keys that something below looks at. Most units have none of them: one look at each of their keys instead of fifty at all. */
function looked(): ReadonlySet<string> {
  keys ??= new Set([
    ...ALWAYS.map(([key]) => key),
    ...['ProtectHostname', 'RestrictNamespaces', 'NoNewPrivileges', 'PrivateUsers'],
    ...FILTER_OPTIONS,
    ...NAMESPACE_OPTIONS,
    ...CAPABILITY_OPTIONS,
  ]);
  return keys;
}

function refuseAlways(unit: Unit, way: Way): void {
  for (const [key, why, hint] of ALWAYS) refuseOn(unit, way, key, why, hint);
  const host = lastEntry(unit.service, 'ProtectHostname');
  // `private` gives the service a host name of its own and lets it change that.
  if (way !== 'user' && host !== undefined && (boolean(host.value) === true || host.value.startsWith('yes:')))
    refuse(unit, way, host, 'a container sets a host name', REMOVE);
  refuseNamespaces(unit, way);
}

const REMOVE = 'remove it; a container has its own';
const ALWAYS: readonly (readonly [key: string, why: string, hint: string])[] = [
  ['PrivatePIDs', 'the start could not hand the container over to systemd', REMOVE],
  ['ProtectControlGroups', 'the service could not make the control group of its container', REMOVE],
];

/** Of these, a user manager makes a user namespace that holds the account's id alone. */
const NAMESPACE_OPTIONS = (
  'PrivateUsers PrivateTmp PrivateDevices PrivateNetwork PrivateIPC PrivateMounts MountAPIVFS BindLogSockets BindPaths ' +
  'BindReadOnlyPaths TemporaryFileSystem RootDirectory RootImage MountImages ExtensionImages ExtensionDirectories ' +
  'NetworkNamespacePath IPCNamespacePath ProtectSystem ProtectHome ProtectKernelTunables ProtectKernelModules ' +
  'ProtectKernelLogs ProtectClock ProtectHostname ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths'
).split(' ');

/** These imply NoNewPrivileges= in a user manager. */
const FILTER_OPTIONS = (
  'SystemCallFilter SystemCallArchitectures SystemCallLog RestrictAddressFamilies MemoryDenyWriteExecute RestrictRealtime ' +
  'RestrictSUIDSGID LockPersonality'
).split(' ');

const CAPABILITY_OPTIONS = ['CapabilityBoundingSet', 'AmbientCapabilities', 'SecureBits'];

const UNMAPPED = 'newuidmap could not map the subordinate ids';

function refuseOfUserManager(unit: Unit): void {
  const elsewhere = 'remove it; a system unit with User= can have it';
  const refuseKey = (key: string, why: string, hint: string): void => refuseOn(unit, 'user', key, why, hint);
  refuseKey('NoNewPrivileges', UNMAPPED, 'write NoNewPrivileges=yes in [Container]');
  for (const key of FILTER_OPTIONS) {
    // The filter that is refused in any way has been named already.
    const named = unit.problems.some(one => one.code === 'sandbox' && one.key === key);
    if (!named) refuseKey(key, `it implies NoNewPrivileges=, with which ${UNMAPPED}`, elsewhere);
  }
  for (const key of NAMESPACE_OPTIONS)
    refuseKey(key, `a user manager makes a user namespace for it, in which ${UNMAPPED}`, elsewhere);
  for (const key of CAPABILITY_OPTIONS) {
    const entry = lastEntry(unit.service, key);
    if (entry === undefined || (entry.value === '' && key !== 'CapabilityBoundingSet')) continue;
    refuse(
      unit,
      'user',
      entry,
      'a user manager may not do that',
      'use AddCapability= or DropCapability= in [Container]',
    );
  }
}

/** What newuidmap needs to map subordinate ids: it is set-user-id, and opens the maps before it drops privileges. */
const MAPPERS = ['CAP_SETUID', 'CAP_SETGID', 'CAP_SYS_ADMIN', 'CAP_DAC_OVERRIDE'];
/** What a start of root needs. Others may be missing, and are then missing in the container (run/sandbox.ts looks for the same). */
export const ROOT_NEEDS = [
  'CAP_SYS_ADMIN',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SETGID',
  'CAP_DAC_OVERRIDE',
  'CAP_NET_ADMIN',
];

function refuseOfSystem(unit: Unit, way: 'root' | 'account' | 'dynamic'): void {
  const users = lastEntry(unit.service, 'PrivateUsers');
  const whole = way === 'root' && (users?.value === 'identity' || users?.value === 'full');
  if (!whole)
    refuseOn(
      unit,
      way,
      'PrivateUsers',
      'the service would have its own id alone',
      way === 'root' ? REMOVE_USERS : REMOVE_ACCOUNT_USERS,
    );
  if (way === 'dynamic') return;
  if (way === 'root') {
    // netavark opens the namespace by its process.
    refuseAdded(unit);
    const needed = hasBridge(unit) ? [...ROOT_NEEDS, 'CAP_SYS_PTRACE'] : ROOT_NEEDS;
    return refuseBounding(unit, way, needed, 'a start needs more');
  }
  const noNew = lastEntry(unit.service, 'NoNewPrivileges');
  const powerless = noNew !== undefined && boolean(noNew.value) !== false;
  // Capabilities that the account holds itself pass on to newuidmap.
  if (capabilitiesOf(unit.service, 'AmbientCapabilities')?.(['CAP_SETUID', 'CAP_SETGID']).length === 0) {
    return refuseBounding(unit, way, ['CAP_SETUID', 'CAP_SETGID'], UNMAPPED);
  }
  if (powerless) refuse(unit, way, noNew, UNMAPPED, 'write NoNewPrivileges=yes in [Container]');
  refuseBounding(unit, way, MAPPERS, UNMAPPED);
}

/** The payload of root gets what the service has: what its bounding set lacks would silently be missing. */
function refuseAdded(unit: Unit): void {
  if (['UserNS', 'UIDMap', 'GIDMap', 'SubUIDMap', 'SubGIDMap', 'Pod'].some(key => unit.present.has(key))) return;
  const lacking = capabilitiesOf(unit.service, 'CapabilityBoundingSet');
  if (lacking === undefined) return;
  const entries = unit.present.get('AddCapability') ?? [];
  for (const entry of entries.slice(entries.findLastIndex(one => one.value === '') + 1)) {
    const names = splitWords(entry.value).words.map(word => word.toUpperCase());
    const missing = lacking(
      names.filter(name => name !== 'ALL').map(name => (name.startsWith('CAP_') ? name : `CAP_${name}`)),
    );
    if (missing.length === 0) continue;
    const message = `\`AddCapability=${entry.value}\` does not work: CapabilityBoundingSet= in [Service] takes ${missing.join(' ')} away`;
    failAt(unit, entry, 'sandbox', message, { hint: `leave ${missing.join(' ')} in it` });
  }
}

function hasBridge(unit: Unit): boolean {
  const networks = unit.present.get('Network') ?? [];
  return !networks.some(entry => /^(none|host|container:|ns:)/.test(entry.value)) && !unit.present.has('Pod');
}

const REMOVE_ACCOUNT_USERS = 'remove it; a container has a user namespace of its own';
const REMOVE_USERS = 'remove it; with User= in [Service] the container has a user namespace of its own';

function refuseBounding(unit: Unit, way: Way, needed: readonly string[], why: string): void {
  const entry = lastEntry(unit.service, 'CapabilityBoundingSet');
  const missing = capabilitiesOf(unit.service, 'CapabilityBoundingSet')?.(needed) ?? [];
  if (entry === undefined || missing.length === 0) return;
  refuse(unit, way, entry, why, `leave ${missing.join(' ')} in it, or use DropCapability= in [Container]`);
}

/** RestrictNamespaces= must leave the namespaces of a container; the filter behind it takes clone3(2) as a whole away. */
const NAMESPACES = ['user', 'mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net'];

function refuseNamespaces(unit: Unit, way: Way): void {
  const entry = lastEntry(unit.service, 'RestrictNamespaces');
  if (entry === undefined || boolean(entry.value) === false) return;
  if (boolean(entry.value) === true) return refuse(unit, way, entry, 'a container is made of namespaces', 'remove it');
  const negative = entry.value.startsWith('~');
  const named = new Set(splitWords(negative ? entry.value.slice(1) : entry.value).words);
  const missing = NAMESPACES.filter(name => named.has(name) === negative);
  if (missing.length > 0) refuse(unit, way, entry, `a container needs ${missing.join(' ')}`, 'allow them');
}

/** For flags, words and lists alike: what is neither empty nor a `no`. */
function refuseOn(unit: Unit, way: Way, key: string, why: string, hint: string): void {
  const entry = lastEntry(unit.service, key);
  if (entry !== undefined && boolean(entry.value) !== false) refuse(unit, way, entry, why, hint);
}

const WHERE: Readonly<Record<Way, Bytes>> = {
  user: '[Service] of a user unit',
  root: '[Service]',
  account: '[Service] with User=',
  dynamic: '[Service] with DynamicUser=',
};

function refuse(unit: Unit, way: Way, entry: Entry, why: string, hint: string): void {
  const message = `\`${entry.key}=${entry.value}\` in ${WHERE[way]} does not work: ${why}`;
  failAt(unit, entry, 'sandbox', message, { hint });
}
