import type { Bytes } from '../host/host.ts';
import { installLinks } from '../quadlet/install.ts';
import type { Unit } from '../quadlet/model.ts';
import { Failure } from '../run/failure.ts';
import { dropInNames, isTemplate, serviceStem } from '../unit/names.ts';
import { allUnits, installDirectory } from './quadlet-units.ts';
import type { Realm } from './scope.ts';
import { sourceOf } from './unit-names.ts';

/** Called at once when something was changed: also what was done before a failure must be read by the manager. */
export type Changed = () => void;

const ENABLING = '50-berth-enable.conf';
const DISABLING = '50-berth-disable.conf';

/** Enables the source of a unit and says what was done; undefined: the unit is none of ours. What can be refused is, before anything changes. */
export function enableSource(realm: Realm, unit: string, changed: Changed): string | undefined {
  const source = find(realm, unit);
  if (source === undefined) return undefined;
  if (startsIt(source, unit)) return `already enabled by [Install] of ${source.path}`;
  if (isInstance(source, unit))
    throw new Failure(
      1,
      `${unit}: make a link ${instanceFile(unit, source.name.name)} to ${source.path}: an instance is enabled by its name`,
    );
  mayChange(realm, source);
  const disabling = dropInPath(realm, source, DISABLING);
  if (isTemplate(source.name) && !hasDefault(source))
    throw new Failure(
      1,
      `${unit}: a template is started as an instance: write DefaultInstance= into [Install] of ${source.path}, or make a link ${instanceFile('@NAME', source.name.name)} to it`,
    );
  const removed = removeDropIn(realm, disabling, changed);
  if (removed !== undefined && starts(realm, unit)) return `enabled: removed ${removed}`;
  const target = realm.scope.kind === 'system' ? 'multi-user.target' : 'default.target';
  const wrote = dropInPath(realm, source, ENABLING);
  writeDropIn(realm, wrote, `[Install]\nWantedBy=${target}\n`, changed);
  if (!starts(realm, unit)) {
    removeDropIn(realm, wrote, changed);
    throw new Failure(1, `${unit}: another drop-in of ${source.path} empties its [Install]: take that out`);
  }
  return `enabled: ${removed === undefined ? '' : `removed ${removed}, `}wrote ${wrote}, starts with ${target}`;
}

/** Disables the source of a unit, as enableSource enables it. */
export function disableSource(realm: Realm, unit: string, changed: Changed): string | undefined {
  const source = find(realm, unit);
  if (source === undefined) return undefined;
  if (startsIt({ ...source, install: source.install.filter(({ key }) => key === 'Alias') }, unit))
    throw new Failure(1, `${unit}: an Alias= of ${source.path} starts it: take that out`);
  const enabling = dropInPath(realm, source, ENABLING);
  const isStarted = startsIt(source, unit);
  if (isStarted && isInstance(source, unit))
    throw new Failure(1, `${unit}: DefaultInstance= of ${source.path} starts it: disable ${source.stem}.service`);
  if (!isStarted && (isInstance(source, unit) || realm.host.lstat(enabling) === undefined))
    return 'already disabled: nothing in its [Install] starts it';
  mayChange(realm, source);
  const removed = removeDropIn(realm, enabling, changed);
  if (removed !== undefined && !starts(realm, unit)) return `disabled: removed ${removed}`;
  const wrote = dropInPath(realm, source, DISABLING);
  writeDropIn(realm, wrote, '[Install]\nWantedBy=\nRequiredBy=\nUpheldBy=\n', changed);
  if (starts(realm, unit)) {
    removeDropIn(realm, wrote, changed);
    throw new Failure(1, `${unit}: another drop-in of ${source.path} starts it: take that out`);
  }
  return `disabled: ${removed === undefined ? '' : `removed ${removed}, `}wrote ${wrote}, which empties [Install] of ${source.path}`;
}

function find({ host }: Realm, unit: string): Unit | undefined {
  const units = allUnits(host).map(one => one.unit);
  return sourceOf(units, unit);
}

/** Reads the files again. */
function starts(realm: Realm, unit: string): boolean {
  const source = find(realm, unit);
  return source !== undefined && startsIt(source, unit);
}

/** An instance without a file of its own. */
function isInstance(source: Unit, unit: string): boolean {
  return isTemplate(source.name) && unit !== `${source.stem}.service`;
}

/**
 * Another name of Alias= starts nothing by itself, unless it is one in such a directory. A template starts one instance, which is not each
 * that could be made of it.
 */
function startsIt(source: Unit, unit: string): boolean {
  const links = installLinks(source).filter(({ path }) => /\.(wants|requires|upholds)\//.test(path));
  return isInstance(source, unit) ? links.some(({ path }) => path.endsWith(`/${unit}`)) : links.length > 0;
}

function hasDefault(source: Unit): boolean {
  const tried = source.install.filter(({ key }) => key === 'DefaultInstance').at(-1);
  return tried !== undefined && tried.value !== '' && !tried.value.includes('/');
}

function mayChange({ host, scope }: Realm, { name }: Unit): void {
  if (scope.kind === 'user' && scope.uid !== host.euid)
    throw new Failure(125, `${serviceStem(name)}: files of an account are the account's: run it as uid ${scope.uid}`);
}

function dropInPath({ host }: Realm, { name }: Unit, file: string): Bytes {
  return `${installDirectory(host)}/${dropInNames(name)[0] ?? ''}/${file}`;
}

function writeDropIn({ host }: Realm, path: Bytes, text: string, changed: Changed): void {
  host.mkdirs(path.slice(0, path.lastIndexOf('/')), 0o755);
  host.writeFileAtomic(path, text, 0o644);
  changed();
}

/** Its directory goes with it when nothing else is in it. */
function removeDropIn({ host }: Realm, path: Bytes, changed: Changed): Bytes | undefined {
  if (host.lstat(path) === undefined) return undefined;
  host.unlink(path);
  changed();
  const directory = path.slice(0, path.lastIndexOf('/'));
  if (host.list(directory).length === 0) host.rmdir(directory);
  return path;
}

function instanceFile(unit: string, template: Bytes): Bytes {
  const instance = unit.slice(unit.indexOf('@') + 1).replace(/\.service$/, '');
  return template.replace('@.', `@${instance}.`);
}
