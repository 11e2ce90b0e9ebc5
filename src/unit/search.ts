import { problem, type Problem } from '../base/problem.ts';
import { HostError, type Bytes, type Facts, type Files } from '../host/host.ts';
import { typeOf, type UnitType } from './names.ts';

export type SearchHost = Pick<Files, 'list' | 'stat' | 'realpath' | 'readlink'> & Pick<Facts, 'environment' | 'uid'>;

/** A unit file that the search met. `broken`: why it cannot be read, when that was seen already. */
export interface FoundUnit {
  readonly name: Bytes;
  readonly type: UnitType;
  readonly path: Bytes;
  readonly directory: Bytes;
  readonly masked: boolean;
  readonly broken?: string;
}

/** A directory of drop-ins; `at`: place in the search order of the directory that it lies in. */
export interface DropInDirectory {
  readonly path: Bytes;
  readonly at: number;
}

export type DropIns = Map<Bytes, DropInDirectory[]>;

export interface Found {
  /** The ones that count, in search order. */
  readonly units: FoundUnit[];
  /** Files hidden by one of the same name found earlier. */
  readonly hidden: FoundUnit[];
  /** Drop-in directories by their name, in search order. */
  readonly dropIns: DropIns;
  readonly problems: Problem[];
}

const SYSTEM = ['/run/containers/systemd', '/etc/containers/systemd', '/usr/share/containers/systemd'];
const USERS = ['/etc/containers/systemd/users', '/usr/share/containers/systemd/users'];

/** Where unit files are looked for. `standard`: not the choice of QUADLET_UNIT_DIRS, of which all counts. */
export interface SearchPath {
  /** Highest precedence first. */
  readonly directories: readonly Bytes[];
  /** Files of other accounts that are met below these are left out. */
  readonly standard: boolean;
}

/** Where a manager's unit files are looked for; QUADLET_UNIT_DIRS replaces all of it. */
export function searchDirectories(host: SearchHost, user: boolean): SearchPath & { readonly problems: Problem[] } {
  const chosen = host.environment('QUADLET_UNIT_DIRS');
  if (chosen !== undefined && chosen !== '') return { ...chosenDirectories(chosen), standard: false };
  if (!user) return { directories: SYSTEM, standard: true, problems: [] };
  const directories: Bytes[] = [];
  const problems: Problem[] = [];
  const runtime = host.environment('XDG_RUNTIME_DIR') ?? '';
  if (runtime !== '') directories.push(`${runtime}/containers/systemd`);
  const config = host.environment('XDG_CONFIG_HOME') ?? '';
  const home = host.environment('HOME') ?? '';
  if (config !== '') directories.push(`${config}/containers/systemd`);
  else if (home !== '') directories.push(`${home}/.config/containers/systemd`);
  else {
    const hint = 'set one of them in the environment of the user manager';
    problems.push({
      ...problem('no-home', 'neither XDG_CONFIG_HOME nor HOME is set: the own unit files are not read', { hint }),
      severity: 'warning',
    });
  }
  // As the peer's manual has it; its program looks into the shared directory first.
  for (const shared of USERS) directories.push(`${shared}/${host.uid}`, shared);
  return { directories, standard: true, problems };
}

function chosenDirectories(list: Bytes): { directories: Bytes[]; problems: Problem[] } {
  const directories: Bytes[] = [];
  for (const path of list.split(':')) {
    if (!path.startsWith('/')) {
      const hint = 'write absolute paths with `:` between them';
      const wrong = problem('unit-dirs', `QUADLET_UNIT_DIRS: \`${path}\` is not a valid file path`, { hint });
      return { directories, problems: [{ ...wrong, severity: 'warning' }] };
    }
    directories.push(path);
  }
  return { directories, problems: [] };
}

/** Walks the directories: children in byte order, parents first, every directory once, links followed. */
export function search(host: SearchHost, { directories, standard }: SearchPath, user: boolean): Found {
  const walk: Walk = {
    host,
    user,
    users: standard ? usersDirectories(host) : [],
    visited: new Set(),
    names: new Set(),
    found: { units: [], hidden: [], dropIns: new Map(), problems: [] },
  };
  for (const directory of directories) {
    const real = attempt(walk, directory, () => host.realpath(directory));
    if (real !== undefined && !walk.visited.has(real)) enter(walk, real);
  }
  return walk.found;
}

/** As they are called, and where links lead: whose files they are does not depend on the way to them. */
export function usersDirectories(host: SearchHost): readonly Bytes[] {
  return [...new Set([...USERS, ...USERS.flatMap(path => realOf(host, path) ?? [])])];
}

/** undefined, too, for what cannot be looked at. */
function realOf(host: SearchHost, path: Bytes): Bytes | undefined {
  try {
    return host.realpath(path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

interface Walk {
  readonly host: SearchHost;
  readonly user: boolean;
  /** Below these are the files of accounts. */
  readonly users: readonly Bytes[];
  readonly visited: Set<Bytes>;
  readonly names: Set<Bytes>;
  readonly found: Found;
}

function enter(walk: Walk, directory: Bytes): void {
  walk.visited.add(directory);
  const below: Bytes[] = [];
  const ofAccounts = walk.users.includes(directory);
  for (const entry of entries(walk, directory)) {
    const { name } = entry;
    const path = `${directory}/${name}`;
    const type = typeOf(name);
    if (type !== undefined) {
      if (entry.kind === 'file') addUnit(walk, { name, type, path, directory, masked: false });
      else addUnit(walk, { name, type, path, directory, ...condition(walk, path, entry.kind) });
    } else if (name.endsWith('.d')) {
      const known = walk.found.dropIns.get(name);
      const one = { path, at: walk.visited.size };
      if (known === undefined) walk.found.dropIns.set(name, [one]);
      else known.push(one);
    } else if (ofAccounts && isAnothers(walk, name)) {
      continue;
    } else if (entry.kind === 'directory') {
      below.push(path);
    }
    // Of a link the name that it leads to counts, so that it may be both.
    if (entry.kind === 'symlink' && type === undefined) {
      const real = attempt(walk, path, () => directoryBehind(walk, path));
      if (real !== undefined && !real.endsWith('.d')) below.push(real);
    }
  }
  for (const path of below) if (!walk.visited.has(path) && !isForeign(walk, path)) enter(walk, path);
}

function directoryBehind({ host }: Walk, link: Bytes): Bytes | undefined {
  return host.stat(link)?.kind === 'directory' ? host.realpath(link) : undefined;
}

function entries(walk: Walk, directory: Bytes): ReturnType<Files['list']> {
  return attempt(walk, directory, () => walk.host.list(directory)) ?? [];
}

/** A directory that we may not read is told, not a reason to stop: the others count. */
function attempt<T>(walk: Walk, directory: Bytes, look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
      const message = error.code === 'ELOOP' ? CIRCLE : error.message;
      walk.found.problems.push({ ...problem('unreadable', message, { file: directory }), severity: 'warning' });
    }
    return undefined;
  }
}

/** Files of other accounts: the system manager reads no `users` directory, a user manager none of another's number. */
function isForeign(walk: Walk, directory: Bytes): boolean {
  for (const users of walk.users) {
    if (!directory.startsWith(users)) continue;
    const rest = directory.slice(users.length);
    if (rest !== '' && !rest.startsWith('/')) continue;
    if (!walk.user || isAnothers(walk, rest.split('/')[1] ?? '')) return true;
  }
  return false;
}

function isAnothers({ host }: Walk, name: Bytes): boolean {
  return /^[0-9]+$/.test(name) && name !== String(host.uid);
}

function addUnit(walk: Walk, unit: FoundUnit): void {
  if (walk.names.has(unit.name)) {
    walk.found.hidden.push(unit);
  } else {
    walk.names.add(unit.name);
    walk.found.units.push(unit);
  }
}

const CIRCLE = 'the links lead in a circle';

/** A link to /dev/null hides a file of lower precedence, as everywhere in systemd. */
function condition(walk: Walk, path: Bytes, kind: string): { masked: boolean; broken?: string } {
  let real = kind;
  try {
    if (kind === 'symlink') real = walk.host.stat(path)?.kind ?? kind;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { masked: false, broken: error.code === 'ELOOP' ? CIRCLE : error.message.replace(`${path}: `, '') };
  }
  if (real === 'file') return { masked: false };
  if (real === 'char' && walk.host.realpath(path) === '/dev/null') return { masked: true };
  if (real === 'symlink') return { masked: false, broken: 'the link leads nowhere' };
  return { masked: false, broken: real === 'directory' ? 'it is a directory' : 'it is not a regular file' };
}
