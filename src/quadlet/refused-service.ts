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
  if (service.length === 0) return;
  const oneshot = isOneshot(unit);
  for (const [key, values] of oneshot ? NOT_ONESHOT : []) {
    const entry = lastEntry(service, key);
    if (entry !== undefined && values.includes(scalar(entry.value)))
      refuse(
        unit,
        entry,
        `\`${key}=${scalar(entry.value)}\` does not go with Type=oneshot`,
        'remove it, or write on-failure',
      );
  }
  const [second] = oneshot ? [] : afterReset(service.filter(entry => entry.key === 'ExecStart'));
  if (second !== undefined)
    refuse(unit, second, '`ExecStart=` would be a second one', 'use ExecStartPre= or ExecStartPost=');
  for (const entry of service) checkPath(unit, entry);
}

const NOT_ONESHOT: readonly (readonly [key: string, values: readonly string[]])[] = [
  ['Restart', ['always', 'on-success']],
  ['ExitType', ['cgroup']],
];

/** Of these types the service is one unless the source says otherwise. */
const ONESHOT_TYPES: readonly string[] = ['volume', 'network', 'image', 'build', 'artifact'];

function isOneshot({ name, service }: Unit): boolean {
  const type = lastEntry(service, 'Type');
  return type === undefined ? ONESHOT_TYPES.includes(name.type) : scalar(type.value) === 'oneshot';
}

/** Neither absolute nor a name to look up, nor told at run time; `-` makes it optional. */
const RELATIVE_COMMAND = /^[@:+!|]*["']?[^-@:+!|"'/%$\s][^\s"']*\//;
const RELATIVE_DIRECTORY = /^[^/~%-]/;

function checkPath(unit: Unit, entry: Entry): void {
  const { key, value } = entry;
  const relative = key.startsWith('Exec')
    ? RELATIVE_COMMAND.test(value)
    : (key === 'WorkingDirectory' || key === 'RootDirectory') && RELATIVE_DIRECTORY.test(value);
  if (relative) refuse(unit, entry, `\`${key}=\` has a relative path`, 'write an absolute path');
}

function refuse(unit: Unit, entry: Entry, what: string, hint: string): void {
  const message = `${what} in [Service], so that systemd would not load the unit`;
  failAt(unit, entry, 'service', message, { part: entry.value, hint });
}
