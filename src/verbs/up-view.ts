import { HostError, type Bytes, type DirectoryEntry, type Files, type Host, type Stat } from '../host/host.ts';
import type { Piece } from './up-source.ts';

/** Changes of files that are not made yet: by path, the piece that will be there, or undefined for a file that will be gone. */
export type Changes = ReadonlyMap<Bytes, Piece | undefined>;

/**
 * The host as it will be when `changes` are made: what the generator would find then. Only the calls that find and read unit files;
 * variables that send the generator elsewhere count for the manager's environment, not for the caller's.
 */
export function viewOf(host: Host, changes: Changes): Host {
  const directories = directoriesOf(changes);
  return Object.assign(Object.create(host) as Host, {
    ...fileCalls(host, changes, directories),
    environment: (name: Bytes) => (FOREIGN.has(name) ? undefined : host.environment(name)),
  });
}

const FOREIGN = new Set(['QUADLET_UNIT_DIRS', 'BERTH_PROGRAM', 'PODMAN']);

function fileCalls(host: Host, changes: Changes, directories: Map<Bytes, Map<Bytes, Piece>>): Partial<Files> {
  const piece = (path: Bytes): Piece | undefined => changes.get(path);
  const exists = (path: Bytes): boolean => piece(path) !== undefined || directories.has(path);
  const read = (path: Bytes): Bytes | undefined => {
    const one = piece(path);
    if (one === undefined) return undefined;
    return one.link === undefined ? (one.text ?? '') : read(besides(path, one.link));
  };
  const stat = (path: Bytes): Stat | undefined => {
    const one = piece(path);
    if (one?.link !== undefined) return stat(besides(path, one.link));
    if (one !== undefined) return made('file', one.text?.length ?? 0);
    return changes.has(path)
      ? undefined
      : (host.stat(path) ?? (directories.has(path) ? made('directory', 0) : undefined));
  };
  return {
    list: path => listed(host, path, changes, directories.get(path)),
    stat,
    realpath: path => (exists(path) ? realOf(path, piece(path)) : changes.has(path) ? undefined : host.realpath(path)),
    readlink: path => piece(path)?.link ?? host.readlink(path),
    readFile: (path, limit) => read(path) ?? (changes.has(path) ? absent(path) : host.readFile(path, limit)),
    readFileIfExists: (path, limit) =>
      read(path) ?? (changes.has(path) ? undefined : host.readFileIfExists(path, limit)),
    readUnit: path => (changes.has(path) ? undefined : host.readUnit(path)),
  };
}

/** Directories that the pieces need, with the pieces that lie in them; a directory below one is an entry with no piece of its own. */
function directoriesOf(changes: Changes): Map<Bytes, Map<Bytes, Piece>> {
  const directories = new Map<Bytes, Map<Bytes, Piece>>();
  for (const [path, piece] of changes) {
    if (piece === undefined) continue;
    let child: Piece = piece;
    for (let at = path.lastIndexOf('/'), end = path.length; at > 0; end = at, at = path.lastIndexOf('/', at - 1)) {
      const parent = path.slice(0, at);
      const known = directories.get(parent) ?? new Map<Bytes, Piece>();
      const name = path.slice(at + 1, end);
      directories.set(parent, known.set(name, known.get(name) ?? child));
      child = DIRECTORY;
    }
  }
  return directories;
}

const DIRECTORY: Piece = { path: '', mode: 0o755 };

function listed(host: Host, path: Bytes, changes: Changes, added: Map<Bytes, Piece> | undefined): DirectoryEntry[] {
  const there = added !== undefined && host.stat(path) === undefined ? [] : host.list(path);
  const entries = new Map(there.filter(({ name }) => !changes.has(`${path}/${name}`)).map(one => [one.name, one]));
  for (const [name, piece] of added ?? []) {
    const kind = piece === DIRECTORY ? 'directory' : piece.link === undefined ? 'file' : 'symlink';
    if (piece !== DIRECTORY || !entries.has(name)) entries.set(name, { name, kind });
  }
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function besides(path: Bytes, target: Bytes): Bytes {
  return target.startsWith('/') ? target : `${path.slice(0, path.lastIndexOf('/'))}/${target}`;
}

function realOf(path: Bytes, piece: Piece | undefined): Bytes {
  return piece?.link === undefined ? path : besides(path, piece.link);
}

function absent(path: Bytes): never {
  throw new HostError('open', 'ENOENT', 2, 'No such file or directory', path);
}

function made(kind: Stat['kind'], size: number): Stat {
  const none = { uid: 0, gid: 0, device: 0, inode: 0, rdevMajor: 0, rdevMinor: 0, links: 1, mtime: 0 };
  return { kind, mode: 0o644, size, ...none };
}
