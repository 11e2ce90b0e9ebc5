import { problem, type Problem } from '../base/problem.ts';
import { HostError, type Bytes, type FileKind, type Files } from '../host/host.ts';
import type { Document } from './document.ts';
import { lex } from './lexer.ts';
import { dropInNames, type UnitName } from './names.ts';
import type { DropIns } from './search.ts';

type DropInHost = Pick<Files, 'list' | 'readFile' | 'realpath' | 'stat'>;

/**
 * Appends a unit's drop-ins to its document: of each file name the one below the first directory of the search, and there the most specific one, as
 * systemd and the peer have it; all in byte order of their names.
 * Problems of those that cannot be read are given back. What could be read of these counts all the same, since it belongs to the unit that tells the
 * problems (its [Install], the rest of its mistakes), but where that is not written (`asPeer`).
 */
export function addDropIns(
  host: DropInHost,
  name: UnitName,
  known: DropIns,
  document: Document,
  asPeer = false,
): Problem[] {
  if (known.size === 0) return [];
  const problems: Problem[] = [];
  const chosen = new Map<Bytes, Chosen>();
  // Stable: below one directory the most specific goes first.
  const directories = dropInNames(name).flatMap(one => known.get(one) ?? []);
  for (const { path } of directories.sort((a, b) => a.at - b.at)) {
    for (const { name: file, kind } of attempt(() => host.list(path), path, problems) ?? []) {
      if (file.endsWith('.conf') && !chosen.has(file)) chosen.set(file, { path: `${path}/${file}`, kind });
    }
  }
  for (const file of [...chosen.keys()].sort()) {
    const one = chosen.get(file);
    const dropIn = one === undefined ? undefined : lexed(host, one, problems);
    if (dropIn === undefined) continue;
    problems.push(...dropIn.problems);
    if (dropIn.problems.length === 0 || !asPeer) document.sections.push(...dropIn.sections);
  }
  return problems;
}

interface Chosen {
  readonly path: Bytes;
  readonly kind: FileKind;
}

function lexed(host: DropInHost, { path, kind }: Chosen, problems: Problem[]): Document | undefined {
  const text = attempt(() => textOf(host, path, kind), path, problems);
  return text === undefined ? undefined : lex(path, text);
}

/** What is no file is not opened: a boot would wait for the other end of a pipe. A link to /dev/null hides others, and is empty. */
function textOf(host: DropInHost, path: Bytes, kind: FileKind): Bytes {
  const real = kind === 'symlink' ? (host.stat(path)?.kind ?? 'file') : kind;
  if (real === 'file') return host.readFile(path);
  if (real === 'directory') throw new HostError('open', 'EISDIR', 21, 'it is a directory', path);
  if (host.realpath(path) === '/dev/null') return '';
  throw new HostError('open', 'EINVAL', 22, 'it is not a regular file', path);
}

function attempt<T>(action: () => T, path: Bytes, problems: Problem[]): T | undefined {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'ENOTDIR') return undefined;
    const reason = error.message.replace(`${path}: `, '');
    problems.push(problem('unreadable', `cannot be loaded: ${reason}`, { file: path }));
    return undefined;
  }
}
