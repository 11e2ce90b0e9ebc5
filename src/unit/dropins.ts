import { problem, type Problem } from '../base/problem.ts';
import { HostError, type Bytes, type Files } from '../host/host.ts';
import type { Document } from './document.ts';
import { lex } from './lexer.ts';
import { dropInNames, type UnitName } from './names.ts';

type DropInHost = Pick<Files, 'list' | 'readFile'>;

/**
 * Appends a unit's drop-ins to its document: of each file name the most specific one, all in byte order of their names.
 * A drop-in that cannot be read is a problem of its own; the unit keeps the others.
 */
export function addDropIns(
  host: DropInHost,
  name: UnitName,
  known: Map<Bytes, Bytes[]>,
  document: Document,
): Problem[] {
  if (known.size === 0) return [];
  const problems: Problem[] = [];
  const chosen = new Map<Bytes, Bytes>();
  for (const directory of dropInNames(name).flatMap(one => known.get(one) ?? [])) {
    for (const file of names(host, directory, problems)) {
      if (file.endsWith('.conf') && !chosen.has(file)) chosen.set(file, `${directory}/${file}`);
    }
  }
  for (const file of [...chosen.keys()].sort()) addOne(host, chosen.get(file) ?? '', document, problems);
  return problems;
}

function names(host: DropInHost, directory: Bytes, problems: Problem[]): Bytes[] {
  return attempt(() => host.list(directory).map(entry => entry.name), directory, problems) ?? [];
}

function addOne(host: DropInHost, path: Bytes, document: Document, problems: Problem[]): void {
  const text = attempt(() => host.readFile(path), path, problems);
  if (text === undefined) return;
  const dropIn = lex(path, text);
  if (dropIn.problems.length > 0) problems.push(...dropIn.problems);
  else document.sections.push(...dropIn.sections);
}

function attempt<T>(action: () => T, path: Bytes, problems: Problem[]): T | undefined {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'ENOTDIR') return undefined;
    problems.push(problem('unreadable', `cannot be loaded: ${error.message}`, { file: path }));
    return undefined;
  }
}
