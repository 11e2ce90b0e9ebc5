import { problem, type Problem } from '../base/problem.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import { HostError, type Bytes, type Host, type Stat } from '../host/host.ts';
import { typeOf } from '../unit/names.ts';
import { search, searchDirectories, usersDirectories, type Found, type FoundUnit } from '../unit/search.ts';

/** Unit files that one manager would read together: each is judged among these. */
export interface Group {
  /** In search order, with those that the ones that are asked for may name. */
  readonly found: Found;
  /** Paths. */
  readonly asked: ReadonlySet<Bytes>;
  readonly user: boolean;
  /** Where this machine's generator looks. */
  readonly standard: boolean;
  /** Of the search itself. */
  readonly problems: readonly Problem[];
}

interface Draft extends Group {
  readonly asked: Set<Bytes>;
  readonly problems: Problem[];
  /** Every unit of the search, by path. */
  readonly byPath: ReadonlyMap<Bytes, FoundUnit>;
  /** Those that win, by name. */
  readonly byName: ReadonlyMap<Bytes, FoundUnit>;
}

/** A file or directory that was named. */
interface Place {
  readonly path: Bytes;
  readonly directory: Bytes;
  /** Absent: a directory. */
  readonly file?: FoundUnit;
}

interface Walk {
  readonly host: Host;
  /** What --user says. */
  readonly user: boolean | undefined;
  readonly groups: Map<string, Draft>;
  /** Paths that a group has; each is judged once. */
  readonly told: Set<Bytes>;
}

/** The named files and directories, or what the generator would read. A text says why there is none. */
export function findGroups(host: Host, command: Command): readonly Group[] | string {
  const user = lastValue(command, 'user') === undefined ? undefined : isSet(command, 'user');
  const walk: Walk = { host, user, groups: new Map(), told: new Set() };
  if (command.operands.length === 0) return [whole(walk)];
  const places: Place[] = [];
  for (const operand of command.operands) {
    const place = placeAt(host, operand);
    if (typeof place === 'string') return place;
    places.push(place);
  }
  const directories = places.filter(place => place.file === undefined).sort((a, b) => a.path.length - b.path.length);
  for (const { directory } of directories) addDirectory(walk, directory);
  for (const { path, file } of places) if (file !== undefined && !walk.told.has(path)) addFile(walk, file);
  return [...walk.groups.values()];
}

function whole({ host, user = host.uid !== 0 }: Walk): Group {
  const path = searchDirectories(host, user);
  const found = search(host, path, user);
  const asked = new Set(found.units.map(unit => unit.path));
  return { found, asked, user, standard: true, problems: [...path.problems, ...found.problems] };
}

/** As the search would call it: by the real path of its directory. */
function placeAt(host: Host, operand: Bytes): Place | string {
  const path = operand.startsWith('/') ? operand : `${host.cwd()}/${operand}`;
  try {
    const stat = host.stat(path);
    if (stat?.kind === 'directory') {
      const real = host.realpath(path) ?? path;
      return { path: real, directory: real };
    }
    const name = path.slice(path.lastIndexOf('/') + 1);
    const type = typeOf(name);
    if (stat === undefined) return `${operand}: no such file or directory`;
    if (type === undefined) return `${operand}: no unit file: its name ends in no unit type`;
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    const directory = host.realpath(parent) ?? parent;
    const real = join(directory, name);
    return { path: real, directory, file: { name, type, path: real, directory, ...conditionOf(stat) } };
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
}

function conditionOf({ kind }: Stat): Pick<FoundUnit, 'masked' | 'broken'> {
  return { masked: false, ...(kind !== 'file' && { broken: 'it is not a regular file' }) };
}

function addDirectory(walk: Walk, directory: Bytes): void {
  const manager = managerOf(walk, directory);
  let group = manager === undefined ? ofDirectory(walk, directory) : ofManager(walk, manager);
  let all = [...group.byPath.values()].filter(unit => isBelow(unit.path, directory));
  if (all.length === 0 && group.standard) {
    // Where the generator does not look, such as a directory of drop-ins.
    group = ofDirectory(walk, directory);
    all = [...group.byPath.values()];
  }
  group.problems.push(...group.found.problems.filter(p => isBelow(p.file ?? directory, directory)));
  if (all.length === 0) {
    const none = problem('no-unit', 'no unit file was found', {
      file: directory,
      hint: 'their names end in .container, .pod, .volume, ...',
    });
    group.problems.push({ ...none, severity: 'warning' });
  }
  for (const unit of all) {
    const winner = group.byName.get(unit.name);
    // Of two in this directory the generator reads one.
    if (winner === unit || !isBelow(winner?.path ?? '', directory)) ask(walk, group, unit);
  }
}

function addFile(walk: Walk, file: FoundUnit): void {
  const manager = managerOf(walk, file.directory);
  if (manager !== undefined) {
    const group = ofManager(walk, manager);
    const unit = group.byPath.get(file.path);
    if (unit !== undefined) return ask(walk, group, unit);
  }
  const group = ofDirectory(walk, file.directory);
  ask(walk, group, group.byPath.get(file.path) ?? file);
}

/** One that is hidden is judged in the place of the one that hides it. */
function ask({ groups, told }: Walk, group: Draft, unit: FoundUnit): void {
  if (told.has(unit.path)) return;
  told.add(unit.path);
  const winner = group.byName.get(unit.name);
  if (winner === unit) {
    group.asked.add(unit.path);
    return;
  }
  const units = [...group.found.units.filter(one => one !== winner), unit];
  const problems: Problem[] = [];
  if (winner !== undefined) {
    const message = `the generator does not read it: ${winner.path} has its name and goes first`;
    problems.push({ ...problem('hidden', message, { file: unit.path }), severity: 'warning' });
  }
  const found = { ...group.found, units };
  groups.set(`alone ${unit.path}`, { ...group, found, asked: new Set([unit.path]), problems });
}

/** A manager that reads a directory, and as whom. */
interface Manager {
  readonly uid: number;
  readonly user: boolean;
}

function managerOf({ host, user }: Walk, directory: Bytes): Manager | undefined {
  const users = usersDirectories(host).find(one => isBelow(directory, one));
  if (users !== undefined && user !== false) {
    const number = /^\/([0-9]+)(\/|$)/.exec(directory.slice(users.length))?.[1];
    return { uid: number === undefined ? host.uid : Number(number), user: true };
  }
  const both = host.uid === 0 ? [false, true] : [true, false];
  const found = both.find(
    one =>
      (user ?? one) === one &&
      searchDirectories(host, one).directories.some(path => isBelow(directory, realOf(host, path))),
  );
  return found === undefined ? undefined : { uid: host.uid, user: found };
}

function realOf(host: Host, path: Bytes): Bytes {
  try {
    return host.realpath(path) ?? path;
  } catch (error) {
    if (error instanceof HostError) return path;
    throw error;
  }
}

/** All that a manager reads. */
function ofManager(walk: Walk, { uid, user }: Manager): Draft {
  return groupOf(walk, `manager ${uid} ${user}`, () => {
    const { host } = walk;
    // Of another account only what lies below the common directories is known.
    const other = { uid: { value: uid }, environment: { value: () => undefined } };
    const as = uid === host.uid ? host : (Object.create(host, other) as Host);
    return { found: search(as, searchDirectories(as, user), user), user, standard: true };
  });
}

/** A directory that nobody's generator reads, with all below it. */
function ofDirectory(walk: Walk, directory: Bytes): Draft {
  const { host, user = host.uid !== 0 } = walk;
  return groupOf(walk, `directory ${directory}`, () => {
    const standard = !usersDirectories(host).some(users => isBelow(directory, users));
    const found = search(host, { directories: [directory], standard }, user);
    return { found, user, standard: false };
  });
}

function groupOf({ groups }: Walk, key: string, make: () => Pick<Group, 'found' | 'user' | 'standard'>): Draft {
  const known = groups.get(key);
  if (known !== undefined) return known;
  const made = make();
  const { units, hidden } = made.found;
  const byPath = new Map([...units, ...hidden].map(unit => [unit.path, unit]));
  const byName = new Map(units.map(unit => [unit.name, unit]));
  const group: Draft = { ...made, asked: new Set(), problems: [], byPath, byName };
  groups.set(key, group);
  return group;
}

function isBelow(path: Bytes, directory: Bytes): boolean {
  return path === directory || path.startsWith(join(directory, ''));
}

function join(directory: Bytes, name: Bytes): Bytes {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}
