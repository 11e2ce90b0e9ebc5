import type { Bytes, Host, Stat } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { typeOf } from '../unit/names.ts';
import { realDirectory } from './quadlet-units.ts';
import type { Realm } from './scope.ts';

/** A file of an application: `path` below the application's directory. Exactly one of `text` and `link` is set. */
export interface Piece {
  readonly path: Bytes;
  readonly text?: Bytes;
  /** Target of a symbolic link to a file beside it, as instances of templates have it. */
  readonly link?: Bytes;
  readonly mode: number;
}

/** What one operand of `berth up` names, and where it is installed. */
export interface Application {
  readonly name: Bytes;
  /** Canonical path of the operand. */
  readonly source: Bytes;
  /** Where its files go: a directory of its own, or for a single file the directory of unit files. */
  readonly directory: Bytes;
  readonly pieces: readonly Piece[];
}

/** More than this is a mistaken operand, no directory of unit files. */
const MOST_FILES = 1000;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Where unit files of a realm are installed: /etc for the system, the own configuration for a user manager. By its canonical path, since the search
 * follows links, and what it finds is compared with what was written.
 */
export function directoryOf({ host, scope }: Realm): Bytes {
  if (scope.kind === 'system') return realDirectory(host, '/etc/containers/systemd');
  const config = host.environment('XDG_CONFIG_HOME') ?? '';
  return realDirectory(
    host,
    `${config === '' ? `${host.environment('HOME') ?? ''}/.config` : config}/containers/systemd`,
  );
}

/** Reads what an operand names: a directory of unit files, or one unit file with its drop-ins. Throws Failure. */
export function readApplication(realm: Realm, operand: Bytes): Application {
  const { host } = realm;
  const source = host.realpath(operand.startsWith('/') ? operand : `${host.cwd()}/${operand}`);
  const stat = source === undefined ? undefined : host.stat(source);
  if (source === undefined || stat === undefined) throw new Failure(125, `${operand}: no such file or directory`);
  const name = source.slice(source.lastIndexOf('/') + 1);
  const base = directoryOf(realm);
  if (`${source}/`.startsWith(`${base}/`) || `${base}/`.startsWith(`${source}/`))
    throw new Failure(125, `${operand}: ${base} is where unit files are installed: name a directory elsewhere`);
  if (stat.kind !== 'directory') return { name, source, directory: base, pieces: singleFile(host, source, name) };
  if (!isApplicationName(name)) throw new Failure(125, `${operand}: its name cannot be that of an application`);
  const pieces: Piece[] = [];
  walk({ host, root: source, pieces, bytes: 0 }, '');
  if (!pieces.some(piece => typeOf(piece.path) !== undefined))
    throw new Failure(125, `${operand}: no unit file is in it`);
  return { name, source, directory: `${base}/${name}`, pieces };
}

/** A directory whose name is a unit type's, a drop-in's or an account's would be read as something else. */
function isApplicationName(name: Bytes): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/.test(name) && typeOf(name) === undefined && !/\.d$|^users$/.test(name);
}

function singleFile(host: Host, source: Bytes, name: Bytes): Piece[] {
  if (typeOf(name) === undefined)
    throw new Failure(125, `${source}: no unit file: its name ends in no unit type, such as .container`);
  const pieces: Piece[] = [{ path: name, text: host.readFile(source), mode: 0o644 }];
  const dropIns = `${source}.d`;
  if (host.stat(dropIns)?.kind !== 'directory') return pieces;
  for (const { name: file } of host.list(dropIns)) {
    if (file.endsWith('.conf'))
      pieces.push({ path: `${name}.d/${file}`, text: host.readFile(`${dropIns}/${file}`), mode: 0o644 });
  }
  return pieces;
}

interface Walk {
  readonly host: Host;
  readonly root: Bytes;
  readonly pieces: Piece[];
  bytes: number;
}

/** Everything but directories with a dot in front, such as .git: what unit files refer to lies beside them. */
function walk(state: Walk, below: Bytes): void {
  const { host, root, pieces } = state;
  for (const { name, kind } of host.list(below === '' ? root : `${root}/${below}`)) {
    const path = below === '' ? name : `${below}/${name}`;
    if (kind === 'symlink') pieces.push(linkPiece(state, path));
    else if (kind === 'file') pieces.push(filePiece(state, path, host.stat(`${root}/${path}`)));
    else if (kind === 'directory' && !name.startsWith('.')) walk(state, path);
    if (pieces.length > MOST_FILES)
      throw new Failure(125, `${root}: more than ${MOST_FILES} files: give unit files a directory of their own`);
  }
}

function filePiece(state: Walk, path: Bytes, stat: Stat | undefined): Piece {
  state.bytes += stat?.size ?? 0;
  if (state.bytes > MOST_BYTES) throw new Failure(125, `${state.root}: more than 64 MiB of files`);
  return { path, text: state.host.readFile(`${state.root}/${path}`), mode: (stat?.mode ?? 0o644) & 0o777 };
}

/** A link to a file beside it stays one; of any other the content is taken. */
function linkPiece(state: Walk, path: Bytes): Piece {
  const full = `${state.root}/${path}`;
  const target = state.host.readlink(full);
  if (target === '/dev/null' || !target.includes('/')) return { path, link: target, mode: 0o777 };
  const stat = state.host.stat(full);
  if (stat?.kind !== 'file')
    throw new Failure(125, `${full}: this link leads to ${stat === undefined ? 'nothing' : 'no regular file'}`);
  return filePiece(state, path, stat);
}
