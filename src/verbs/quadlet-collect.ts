import { describe } from '../base/problem.ts';
import type { Bytes, FileKind, Host } from '../host/host.ts';
import { typeOf } from '../unit/names.ts';
import { parseQuadlets } from '../unit/quadlets-file.ts';
import { download } from './quadlet-download.ts';

/** A file to install, and where it comes from: `line` is its first one there. */
export interface Piece {
  readonly name: Bytes;
  readonly text: Bytes;
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
    const units = parts.value.map(part => ({ ...part, from: first }));
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
  const entries = own.map(entry => `${top}/${entry.name}`);
  const pieces = [...entries, ...others].flatMap(path => readPiece(host, path, errors));
  if (errors.length === 0 && !pieces.some(piece => typeOf(piece.name) !== undefined))
    errors.push(`${first}: no unit file is in it`);
  // `.` and `..` are no names.
  const name = baseName(/(^|\/)\.{0,2}$/.test(top) ? (host.realpath(first) ?? '') : top);
  if (name === '') errors.push(`${first}: its name cannot be that of an application`);
  return { application: `.${name}.app`, pieces };
}

function readPiece(host: Host, path: Bytes, errors: string[]): Piece[] {
  const kind = host.stat(path)?.kind;
  if (kind === 'file') return [{ name: baseName(path), text: host.readFile(path), from: path, line: 1 }];
  errors.push(`${path}: ${whyNot(path, kind)}`);
  return [];
}

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
    return { ...(await download(url)), from: url, line: 1 };
  } catch (error) {
    errors.push(`${url}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
