import { isSet } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Bytes, FileKind, Host } from '../host/host.ts';
import { describe } from '../base/problem.ts';
import { typeOf } from '../unit/names.ts';
import { parseQuadlets } from '../unit/quadlets-file.ts';
import { printable } from './command-line.ts';
import { download } from './quadlet-download.ts';
import { applications, installDirectory, reloadSystemd } from './quadlet-units.ts';

interface Piece {
  readonly name: Bytes;
  readonly text: Bytes;
}

/** `berth quadlet install`: the files of the command line, copied as one application. */
export async function installUnits(host: Host, command: Command | number): Promise<number> {
  if (typeof command === 'number') return command;
  const [first = '', ...others] = command.operands;
  const errors: string[] = [];
  const collected = await collect(host, first, others, errors);
  const directory = installDirectory(host);
  if (collected.pieces.length > 0) host.mkdirs(directory, 0o755);
  const installed: Bytes[] = [];
  for (const piece of collected.pieces) {
    const path = `${directory}/${piece.name}`;
    if (host.lstat(path) !== undefined && !isSet(command, 'replace')) {
      errors.push(`${path} already exists, refusing to overwrite; use --replace`);
      continue;
    }
    host.writeFileAtomic(path, piece.text, 0o644);
    installed.push(piece.name);
    host.write(1, `${path}\n`);
  }
  if (installed.length > 0) remember(host, directory, collected.application, installed);
  const reloaded = !isSet(command, 'reload-systemd', true) || reloadSystemd(host);
  for (const text of errors) host.write(2, `berth: quadlet install: ${printable(text)}\n`);
  return errors.length === 0 && reloaded ? 0 : 125;
}

/** The application file lists what belongs together, each name once. */
function remember(host: Host, directory: Bytes, application: Bytes, names: readonly Bytes[]): void {
  const known = applications(host, directory).find(app => app.file === application)?.names ?? [];
  const all = [...new Set([...known, ...names])];
  host.writeFileAtomic(`${directory}/${application}`, all.map(name => `${name}\n`).join(''), 0o644);
}

async function collect(
  host: Host,
  first: Bytes,
  others: readonly Bytes[],
  errors: string[],
): Promise<{ application: Bytes; pieces: Piece[] }> {
  if (host.stat(first)?.kind === 'directory') {
    const entries = host.list(first).map(entry => `${first.replace(/\/+$/, '')}/${entry.name}`);
    const pieces = [...entries, ...others].flatMap(path => readPiece(host, path, errors));
    return { application: `.${baseName(first.replace(/\/+$/, ''))}.app`, pieces };
  }
  const lead = /^https?:\/\//.test(first) ? await fromServer(first, errors) : readPiece(host, first, errors)[0];
  const rest = others.flatMap(path => readPiece(host, path, errors));
  if (lead === undefined) return { application: '', pieces: [] };
  if (lead.name.endsWith('.quadlets')) {
    const parts = parseQuadlets(first, lead.text);
    if (parts.isErr()) {
      errors.push(...parts.error.map(describe));
      return { application: '', pieces: [] };
    }
    return { application: `.${lead.name.slice(0, -'.quadlets'.length)}.app`, pieces: [...parts.value, ...rest] };
  }
  if (typeOf(lead.name) === undefined) {
    errors.push(`${first}: its name ends in no unit type`);
    return { application: '', pieces: [] };
  }
  return { application: `.${lead.name}.app`, pieces: [lead, ...rest] };
}

function readPiece(host: Host, path: Bytes, errors: string[]): Piece[] {
  const kind = host.stat(path)?.kind;
  if (kind === 'file') return [{ name: baseName(path), text: host.readFile(path) }];
  errors.push(`${path}: ${whyNot(path, kind)}`);
  return [];
}

function whyNot(path: Bytes, kind: FileKind | undefined): string {
  if (kind !== undefined) return kind === 'directory' ? 'is a directory' : 'is no regular file';
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(path)
    ? 'only the first word can be an address, by http or https'
    : 'no such file';
}

function baseName(path: Bytes): Bytes {
  return path.slice(path.lastIndexOf('/') + 1);
}

async function fromServer(url: Bytes, errors: string[]): Promise<Piece | undefined> {
  try {
    return await download(url);
  } catch (error) {
    errors.push(`${url}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
