import { describe, type Problem } from '../base/problem.ts';
import { isSet } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Bytes, Host } from '../host/host.ts';
import { typeOf } from '../unit/names.ts';
import { printable } from './command-line.ts';
import { collect, type Collected, type Piece } from './quadlet-collect.ts';
import { applications, installDirectory, realDirectory, reloadSystemd } from './quadlet-units.ts';
import { restorer } from './up-files.ts';
import { servicesOf } from './up-units.ts';
import { viewOf } from './up-view.ts';

/**
 * `berth quadlet install`: the files of the command line, copied as one application, all or none: nothing is written when one cannot be read or is
 * in the way, or when a unit would fail for a mistake in it (unless `--force`).
 */
export async function installUnits(host: Host, command: Command | number): Promise<number> {
  if (typeof command === 'number') return command;
  const [first = '', ...others] = command.operands;
  const errors: string[] = [];
  const collected = await collect(host, first, others, errors);
  const directory = installDirectory(host);
  errors.push(...inTheWay(host, directory, collected.pieces, isSet(command, 'replace')));
  const { mistakes, hints } = errors.length > 0 ? NOTHING : judge(host, directory, collected.pieces);
  const isForced = isSet(command, 'force');
  if (mistakes.length > 0 && !isForced) {
    errors.push(...mistakes, 'nothing was installed; repair this, or use --force: such a unit fails when it starts');
  } else hints.push(...mistakes);
  for (const text of errors) say(host, text);
  if (errors.length > 0) return 125;
  for (const text of hints) say(host, `warning: ${text}`);
  place(host, directory, collected);
  return !isSet(command, 'reload-systemd', true) || reloadSystemd(host) ? 0 : 125;
}

const NOTHING = { mistakes: [], hints: [] as string[] };

function say(host: Host, text: string): void {
  host.write(2, `berth: quadlet install: ${printable(text)}\n`);
}

function inTheWay(host: Host, directory: Bytes, pieces: readonly Piece[], replace: boolean): string[] {
  return pieces.flatMap(({ name, from }, i) => {
    const twin = pieces.slice(0, i).find(other => other.name === name);
    if (twin !== undefined) return [`${from}: ${twin.from} has the same name`];
    const path = `${directory}/${name}`;
    const kind = host.lstat(path)?.kind;
    if (kind === 'directory') return [`${path} is a directory`];
    return kind === undefined || replace ? [] : [`${path} already exists, refusing to overwrite; use --replace`];
  });
}

/**
 * What the generator would say when they are there. What a unit refers to may be installed by the next command: a missing one is a warning, here
 * alone.
 */
function judge(host: Host, directory: Bytes, pieces: readonly Piece[]): { mistakes: string[]; hints: string[] } {
  const at = realDirectory(host, directory);
  const placed = new Map(pieces.map(piece => [`${at}/${piece.name}`, piece]));
  const changes = new Map([...placed].map(([path, { name, text }]) => [path, { path: name, text, mode: 0o644 }]));
  const units = new Set([...placed.keys()].filter(path => typeOf(path) !== undefined));
  const { problems } = servicesOf(viewOf(host, changes), host.uid !== 0, units, []);
  const errors = problems.filter(p => p.severity === 'error');
  const lines = (some: readonly Problem[]): string[] => some.map(p => describe(asWritten(p, placed)));
  const isLater = (p: Problem): boolean => p.code === 'reference' || p.code === 'failed-reference';
  return { mistakes: lines(errors.filter(p => !isLater(p))), hints: lines(errors.filter(isLater)) };
}

/** By the path and the line that people have in front of them. */
function asWritten(p: Problem, placed: ReadonlyMap<Bytes, Piece>): Problem {
  const piece = p.file === undefined ? undefined : placed.get(p.file);
  if (piece === undefined) return p;
  return { ...p, file: piece.from, ...(p.line === undefined ? {} : { line: p.line + piece.line - 1 }) };
}

/** Writes the files and the lists of applications; what was changed is put back when something cannot be. */
function place(host: Host, directory: Bytes, collected: Collected): void {
  host.mkdirs(directory, 0o755);
  const { pieces } = collected;
  const undo: (() => void)[] = [];
  try {
    for (const { name, text, mode } of [...pieces, ...lists(host, directory, collected)]) {
      const path = `${directory}/${name}`;
      undo.push(restorer(host, path));
      if (text === undefined) host.unlink(path);
      else host.writeFileAtomic(path, text, mode);
    }
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw error;
  }
  for (const { name } of pieces) host.write(1, `${directory}/${name}\n`);
}

/** A file belongs to the application that it came with last; the list of one that has none left is to go (no text). */
function lists(
  host: Host,
  directory: Bytes,
  { application, pieces }: Collected,
): { name: Bytes; text: Bytes | undefined; mode: number }[] {
  const installed = pieces.map(piece => piece.name);
  const text = (names: readonly Bytes[]): Bytes => [...new Set(names)].map(name => `${name}\n`).join('');
  const known = applications(host, directory);
  const own = known.find(app => app.file === application)?.names ?? [];
  const others = known.filter(app => app.file !== application && app.names.some(name => installed.includes(name)));
  const left = others.map(({ file, names }) => {
    const rest = names.filter(name => !installed.includes(name));
    return { name: file, text: rest.length === 0 ? undefined : text(rest), mode: 0o644 };
  });
  return [{ name: application, text: text([...own, ...installed]), mode: 0o644 }, ...left];
}
