import type { Bytes } from '../host/host.ts';
import { lastEntry, type Entry } from '../unit/document.ts';
import { boolean, scalar } from '../unit/values.ts';
import { failAt, warnAt, type Setting, type Unit } from './model.ts';
import { afterReset } from './read.ts';
import { commandFault } from './refused-command.ts';
import { accountFault, directoryFault, expanded, pidFileFault, type Fault } from './refused-values.ts';

/**
 * What in [Service] makes systemd refuse to load the generated unit (tried with every option of systemd 257): it would vanish, and only the log of
 * the manager says why. What systemd merely passes over, with a warning, is told by `berth check` alone (ignored-lines.ts).
 */
export function checkService(unit: Unit, setting: Setting): void {
  const { service } = unit;
  for (let i = 0; i < service.length; i++) {
    const entry = service[i];
    if (entry !== undefined && WATCHED.has(entry.key)) checkEntry(unit, entry, setting.asPeer);
  }
}

/** Lines that systemd reads as commands. */
export const COMMANDS = 'ExecCondition ExecStartPre ExecStart ExecStartPost ExecReload ExecStop ExecStopPost'.split(
  ' ',
);
const ACCOUNTS = ['User', 'Group', 'SupplementaryGroups'];
const ROOTS = ['RootDirectory', 'RootImage', 'RootVerity'];
const POLICIES = ['RootImagePolicy', 'ExtensionImagePolicy', 'MountImagePolicy'];
const OTHERS = ['Restart', 'ExitType', 'Type', 'WorkingDirectory', 'PIDFile', 'DynamicUser'];
const WATCHED: ReadonlySet<string> = new Set([...COMMANDS, ...ACCOUNTS, ...ROOTS, ...POLICIES, ...OTHERS]);

function checkEntry(unit: Unit, entry: Entry, asPeer: boolean): void {
  const { key, value } = entry;
  switch (key) {
    case 'Restart':
    case 'ExitType':
      if (NOT_ONESHOT.has(value) && isOneshot(unit) && lastEntry(unit.service, key) === entry)
        refuse(unit, entry, { what: `\`${key}=${value}\` does not go with Type=oneshot`, hint: 'write on-failure' });
      return;
    case 'Type':
      if (value === 'dbus' && lastEntry(unit.service, 'BusName') === undefined)
        refuse(unit, entry, { what: '`Type=dbus` has no `BusName=`', hint: 'write oneshot' });
      return;
    case 'DynamicUser':
      if (value === '' || boolean(value) === undefined) notBoolean(unit, entry, asPeer);
      return;
    case 'ExecStart':
      if (isSecond(unit, entry))
        refuse(unit, entry, {
          what: '`ExecStart=` would be a second one',
          hint: 'use ExecStartPre= or ExecStartPost=',
        });
  }
  if (value === '') return;
  const fault = faultOf(unit, key, value);
  if (fault === undefined) return;
  const told = { ...fault, what: `\`${key}=\` ${fault.what}` };
  if (fault.optional === true)
    warnAt(unit, entry, 'service', `${told.what} in [Service], so that systemd passes over the line`, told);
  else refuse(unit, entry, told);
}

/** The peer writes units other than containers' with any such value, and its own cases want status 0. */
function notBoolean(unit: Unit, entry: Entry, asPeer: boolean): void {
  const fault = { what: `\`${entry.key}=${entry.value}\` is neither true nor false`, hint: 'write yes or no' };
  if (!asPeer || unit.name.type === 'container') refuse(unit, entry, fault);
  else warnAt(unit, entry, 'service', `${fault.what} in [Service]: systemd will not load the unit`, fault);
}

function faultOf(unit: Unit, key: Bytes, value: Bytes): Fault | undefined {
  const known = (text: Bytes): Bytes | undefined => expanded(unit, text);
  if (key.startsWith('Exec')) return commandFault(value, known);
  if (key.endsWith('Policy'))
    return isImagePolicy(value) ? undefined : { what: 'is no image policy', hint: POLICY_HINT };
  if (ACCOUNTS.includes(key)) return accountFault(key, value, known);
  const text = known(value);
  if (text === undefined) return undefined;
  return key === 'PIDFile' ? pidFileFault(text) : directoryFault(text, key === 'WorkingDirectory');
}

const POLICY_HINT = 'see systemd.image-policy(7)';
const PARTS = ' root usr home srv esp xbootldr swap root-verity root-verity-sig usr-verity usr-verity-sig tmp var  ';
const USES =
  ' unprotected verity signed encrypted unused absent open ignore read-only-on read-only-off growfs-on growfs-off  ';

/** systemd.image-policy(7). */
function isImagePolicy(value: Bytes): boolean {
  if (/^[*~-]$/.test(value)) return true;
  return value.split(':').every(part => {
    const [name = '', uses] = part.split('=');
    return PARTS.includes(` ${name} `) && uses?.split('+').every(use => USES.includes(` ${use} `)) === true;
  });
}

const NOT_ONESHOT: ReadonlySet<string> = new Set(['always', 'on-success', 'cgroup']);

/** The first that no empty assignment takes back. */
function isSecond(unit: Unit, entry: Entry): boolean {
  return afterReset(unit.service.filter(other => other.key === entry.key))[0] === entry && !isOneshot(unit);
}

/** Of these types the service is one unless the source says otherwise. */
const ONESHOT_TYPES: readonly string[] = ['volume', 'network', 'image', 'build', 'artifact'];

function isOneshot({ name, service }: Unit): boolean {
  const type = lastEntry(service, 'Type');
  return type === undefined ? ONESHOT_TYPES.includes(name.type) : scalar(type.value) === 'oneshot';
}

function refuse(unit: Unit, entry: Entry, { what, part, hint }: Fault): void {
  const message = `${what} in [Service], so that systemd would not load the unit`;
  failAt(unit, entry, 'service', message, { part: part ?? entry.value, hint });
}
