import type { Bytes } from '../host/host.ts';
import { lastEntry, type Entry } from '../unit/document.ts';
import { boolean, scalar, splitWords } from '../unit/values.ts';
import { quoteWord } from '../unit/write.ts';
import { failAt, type Draft, type Setting, type Unit } from './model.ts';
import { defaultService } from './service.ts';

/**
 * What a container needs that runs as an account: `User=` or `DynamicUser=` in [Service] of a system unit. Directories are made by root in front of
 * the start; options of the sandbox that would break an unprivileged start are refused by name here, and again at the start.
 */
export function accountLines(unit: Unit, draft: Draft, setting: Setting, image: Bytes | undefined): void {
  if (setting.user) return;
  const user = lastEntry(unit.service, 'User');
  const name = user === undefined ? '' : scalar(user.value);
  const dynamic = flag(unit, 'DynamicUser');
  if (name === '' && !dynamic) return;
  if (dynamic) {
    defaultService(unit, draft, 'RuntimeDirectory', 'berth-%N');
    defaultService(unit, draft, 'StateDirectory', 'berth-%N');
  }
  const account = name === '' ? dynamicName(unit.stem) : name;
  if (account !== undefined && account !== 'root' && account !== '0') {
    // Images are loaded once, by root; an account that lacks one is handed its own copy, owned through its own ids.
    const handed = image === undefined ? '' : ` --image ${quoteWord(image)}`;
    draft.lines.push(`ExecStartPre=+${setting.program} account prepare${handed} ${quoteWord(account)}`);
  }
  if (name !== 'root' && name !== '0') refuseSandbox(unit, dynamic);
  // Under strict everything is read-only that is not named; the account's directories are made by the line above.
  if (lastEntry(unit.service, 'ProtectSystem')?.value === 'strict') {
    draft.lines.push('ReadWritePaths=-/run/berth/users -/var/lib/berth/users');
  }
}

/** systemd names a dynamic user without User= by the unit, when that is a user name (systemd.exec(5), DynamicUser=). */
function dynamicName(stem: Bytes): Bytes | undefined {
  const prefix = stem.split('@')[0] ?? '';
  return /^[a-zA-Z_][a-zA-Z0-9_-]{0,30}$/.test(prefix) ? prefix : undefined;
}

function flag(unit: Unit, key: string): boolean {
  const entry = lastEntry(unit.service, key);
  return entry !== undefined && boolean(entry.value) === true;
}

/** What newuidmap needs to map subordinate ids; a DynamicUser= has none and maps only itself. */
const MAPPERS = ['CAP_SETUID', 'CAP_SETGID'];

function refuseSandbox(unit: Unit, dynamic: boolean): void {
  const helpers = dynamic || capabilities(unit, 'AmbientCapabilities').allows(MAPPERS, false);
  if (!helpers) {
    refuseFlag(
      unit,
      'NoNewPrivileges',
      'newuidmap could not map the subordinate ids',
      'write NoNewPrivileges=yes in [Container]',
    );
    refuseBounding(unit);
  }
  refuseFlag(
    unit,
    'PrivateUsers',
    'the service would have no subordinate ids',
    'remove it; a container has a user namespace of its own',
  );
  refuseNamespaces(unit);
}

function refuseFlag(unit: Unit, key: string, why: string, hint: string): void {
  const entry = lastEntry(unit.service, key);
  if (entry === undefined || boolean(entry.value) === false) return;
  refuse(unit, entry, why, hint);
}

function refuse(unit: Unit, entry: Entry, why: string, hint: string): void {
  failAt(unit, entry, 'sandbox', `\`${entry.key}=${entry.value}\` in [Service] with User= does not work: ${why}`, {
    hint,
  });
}

function refuseBounding(unit: Unit): void {
  const entry = lastEntry(unit.service, 'CapabilityBoundingSet');
  if (entry === undefined || capabilities(unit, 'CapabilityBoundingSet').allows(MAPPERS, true)) return;
  refuse(
    unit,
    entry,
    'newuidmap could not map the subordinate ids',
    'add CAP_SETUID and CAP_SETGID, or use DropCapability= in [Container]',
  );
}

/** A capability set of systemd.exec(5): assignments add up, `~` takes away, empty clears. */
function capabilities(unit: Unit, key: string): { allows(names: readonly string[], absent: boolean): boolean } {
  let set: Set<string> | undefined;
  let inverted = false;
  for (const entry of unit.service) {
    if (entry.key !== key) continue;
    const { words } = splitWords(entry.value.startsWith('~') ? entry.value.slice(1) : entry.value);
    const negative = entry.value.startsWith('~');
    if (set === undefined || words.length === 0) {
      set = new Set(words);
      inverted = negative;
    } else {
      for (const word of words) {
        if (negative === inverted) set.add(word);
        else set.delete(word);
      }
    }
  }
  const known = set;
  return {
    allows: (names, absent) => (known === undefined ? absent : names.every(name => known.has(name) !== inverted)),
  };
}

/** RestrictNamespaces= must leave the namespaces of a container. */
const NAMESPACES = ['user', 'mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net'];

function refuseNamespaces(unit: Unit): void {
  const entry = lastEntry(unit.service, 'RestrictNamespaces');
  if (entry === undefined || boolean(entry.value) === false) return;
  if (boolean(entry.value) === true) {
    refuse(unit, entry, 'a container is made of namespaces', 'remove it');
    return;
  }
  const allowed = namespacesOf(entry.value);
  const missing = NAMESPACES.filter(name => !allowed(name));
  if (missing.length > 0) refuse(unit, entry, `a container needs ${missing.join(' ')}`, 'allow them');
}

function namespacesOf(value: Bytes): (name: string) => boolean {
  const negative = value.startsWith('~');
  const named = new Set(splitWords(negative ? value.slice(1) : value).words);
  return name => named.has(name) !== negative;
}
