import { lastEntry, type Entry } from '../unit/document.ts';
import { scalar } from '../unit/values.ts';
import { failAt, type Unit } from './model.ts';
import { afterReset } from './read.ts';

/**
 * What in [Service] makes systemd refuse to load the generated unit (tried with systemd 257): it would vanish, and only the log of the manager says
 * why. What systemd merely passes over, with a warning, is not looked at.
 */
export function checkService(unit: Unit): void {
  const { service } = unit;
  for (let i = 0; i < service.length; i++) {
    const entry = service[i];
    if (entry !== undefined && WATCHED.has(entry.key)) checkEntry(unit, entry);
  }
}

const COMMANDS = 'ExecCondition ExecStartPre ExecStart ExecStartPost ExecReload ExecStop ExecStopPost'.split(' ');
const WATCHED: ReadonlySet<string> = new Set([...COMMANDS, 'Restart', 'ExitType', 'WorkingDirectory', 'RootDirectory']);

function checkEntry(unit: Unit, entry: Entry): void {
  const { key, value } = entry;
  switch (key) {
    case 'Restart':
    case 'ExitType':
      if (NOT_ONESHOT.has(value) && isOneshot(unit) && lastEntry(unit.service, key) === entry)
        refuse(unit, entry, `\`${key}=${value}\` does not go with Type=oneshot`, 'remove it, or write on-failure');
      return;
    case 'WorkingDirectory':
    case 'RootDirectory':
      return checkPath(unit, entry, RELATIVE_DIRECTORY);
    case 'ExecStart':
      if (isSecond(unit, entry))
        refuse(unit, entry, '`ExecStart=` would be a second one', 'use ExecStartPre= or ExecStartPost=');
  }
  checkPath(unit, entry, RELATIVE_COMMAND);
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

/** Neither absolute nor a name to look up, nor told at run time; `-` makes it optional. */
const RELATIVE_COMMAND = /^[@:+!|]*["']?[^-@:+!|"'/%$\s][^\s"']*\//;
const RELATIVE_DIRECTORY = /^[^/~%-]/;

function checkPath(unit: Unit, entry: Entry, relative: RegExp): void {
  if (relative.test(entry.value))
    refuse(unit, entry, `\`${entry.key}=\` has a relative path`, 'write an absolute path');
}

function refuse(unit: Unit, entry: Entry, what: string, hint: string): void {
  const message = `${what} in [Service], so that systemd would not load the unit`;
  failAt(unit, entry, 'service', message, { part: entry.value, hint });
}
