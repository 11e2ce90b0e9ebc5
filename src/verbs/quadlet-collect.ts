import { describe } from '../base/problem.ts';
import type { Bytes, FileKind, Host } from '../host/host.ts';
import { typeOf } from '../unit/names.ts';
import { parseQuadlets } from '../unit/quadlets-file.ts';
import { download } from './quadlet-download.ts';

/** A file to install, and where it comes from: `line` is its first one there. */
export interface Piece {
  readonly name: Bytes;
  readonly text: Bytes;
  /** Of a file that is no unit, which may hold secrets: what others were not given stays so. */
  readonly mode: number;
  readonly from: Bytes;
  readonly line: number;
}

/** What a command line names. `application`: the name of the file that lists them. */
export interface Collected {
  readonly application: Bytes;
  readonly pieces: readonly Piece[];
}

/** Reads the operands of `quadlet install`; what cannot be read goes to `errors`. */
export async function collect(
  host: Host,
  first: Bytes,
  others: readonly Bytes[],
  errors: string[],
): Promise<Collected> {
  if (host.stat(first)?.kind === 'directory') return ofDirectory(host, first, others, errors);
  const lead = /^https?:\/\//.test(first) ? await fromServer(first, errors) : readPiece(host, first, errors)[0];
  const rest = others.flatMap(path => readPiece(host, path, errors));
  if (lead === undefined) return { application: '', pieces: [] };
  if (lead.name.endsWith('.quadlets')) {
    const parts = parseQuadlets(first, lead.text);
    if (parts.isErr()) {
      errors.push(...parts.error.map(describe));
      return { application: '', pieces: [] };
    }
    const units = parts.value.map(part => ({ ...part, from: first, mode: UNIT_MODE }));
    return { application: `.${lead.name.slice(0, -'.quadlets'.length)}.app`, pieces: [...units, ...rest] };
  }
  if (typeOf(lead.name) === undefined) {
    errors.push(`${first}: its name ends in no unit type`);
    return { application: '', pieces: [] };
  }
  return { application: `.${lead.name}.app`, pieces: [lead, ...rest] };
}

function ofDirectory(host: Host, first: Bytes, others: readonly Bytes[], errors: string[]): Collected {
  const top = first.replace(/(.)\/+$/, '$1');
  // What a repository keeps for itself.
  const own = host.list(first).filter(({ name, kind }) => !(kind === 'directory' && name.startsWith('.')));
  const inside = host.uid === 0 ? host.realpath(first) : undefined;
  const pieces = own.flatMap(({ name }) => readPiece(host, `${top}/${name}`, errors, inside));
  pieces.push(...others.flatMap(path => readPiece(host, path, errors)));
  if (errors.length === 0 && !pieces.some(piece => typeOf(piece.name) !== undefined))
    errors.push(`${first}: no unit file is in it`);
  // `.` and `..` are no names.
  const name = baseName(/(^|\/)\.{0,2}$/.test(top) ? (host.realpath(first) ?? '') : top);
  if (name === '') errors.push(`${first}: its name cannot be that of an application`);
  return { application: `.${name}.app`, pieces };
}

/**
 * `inside`: of whom root installs the directory decides where a link in it leads, and must not have root's files copied. What is looked at and
 * what is read are one file, held by a descriptor: the name may mean another one a moment later.
 */
function readPiece(host: Host, path: Bytes, errors: string[], inside?: Bytes): Piece[] {
  if (inside === undefined || host.stat(path) === undefined) return pieceAt(host, path, path, errors);
  const fd = host.open(path, O_PATH);
  try {
    const held = `/proc/self/fd/${fd}`;
    const real = host.readlink(held);
    if (real.startsWith(`${inside}/`)) return pieceAt(host, path, held, errors);
    errors.push(`${path}: leads out of the directory, to ${real}`);
    return [];
  } finally {
    host.close(fd);
  }
}

/** Opens nothing yet: no device does anything, and no FIFO is waited for. */
const O_PATH = 0o10000000;

function pieceAt(host: Host, path: Bytes, at: Bytes, errors: string[]): Piece[] {
  const stat = host.stat(at);
  if (stat?.kind !== 'file') {
    errors.push(`${path}: ${whyNot(path, stat?.kind)}`);
    return [];
  }
  const name = baseName(path);
  const mode = typeOf(name) === undefined ? stat.mode & UNIT_MODE : UNIT_MODE;
  return [{ name, text: host.readFile(at), mode, from: path, line: 1 }];
}

const UNIT_MODE = 0o644;

function whyNot(path: Bytes, kind: FileKind | undefined): string {
  if (kind !== undefined)
    return kind === 'directory' ? 'is a directory; `berth up` takes them, too' : 'is no regular file';
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(path)
    ? 'only the first word can be an address, by http or https'
    : 'no such file';
}

function baseName(path: Bytes): Bytes {
  return path.slice(path.lastIndexOf('/') + 1);
}

async function fromServer(url: Bytes, errors: string[]): Promise<Piece | undefined> {
  try {
    return { ...(await download(url)), mode: UNIT_MODE, from: url, line: 1 };
  } catch (error) {
    errors.push(`${url}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
