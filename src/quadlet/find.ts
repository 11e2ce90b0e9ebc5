import { problem } from '../base/problem.ts';
import { HostError, type Bytes, type Files } from '../host/host.ts';
import { unitOf } from './load.ts';
import type { Unit } from './model.ts';
import { addDropIns } from '../unit/dropins.ts';
import { lex } from '../unit/lexer.ts';
import { parseUnitName } from '../unit/names.ts';
import type { Found, FoundUnit } from '../unit/search.ts';

/** Reads every unit that was found. Each unit carries its own problems: a bad file is one bad unit. */
export function loadUnits(host: Pick<Files, 'list' | 'readFile'>, found: Found, saw: (path: Bytes) => void): Unit[] {
  const units: Unit[] = [];
  for (const one of found.units) {
    if (one.masked) continue;
    saw(one.path);
    units.push(loadUnit(host, one, found.dropIns));
  }
  return units;
}

/** Larger files are no unit files. */
const LARGEST = 16 * 1024 * 1024;

export function loadUnit(host: Pick<Files, 'list' | 'readFile'>, one: FoundUnit, dropIns: Map<Bytes, Bytes[]>): Unit {
  const { name, type, path, directory } = one;
  const read = one.broken === undefined ? readText(host, path) : { text: '', reason: one.broken };
  const document = lex(path, read.text);
  if (read.reason !== undefined) {
    document.problems.push(problem('unreadable', `cannot be loaded: ${read.reason}`, { file: path }));
  }
  const inDropIns = addDropIns(host, parseUnitName(name, type), dropIns, document);
  const unit = unitOf({ name, type, path, directory, document });
  unit.dropInProblems.push(...inDropIns);
  return unit;
}

function readText(host: Pick<Files, 'readFile'>, path: Bytes): { text: Bytes; reason?: string } {
  try {
    return { text: host.readFile(path, LARGEST) };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { text: '', reason: error.message.replace(`${path}: `, '') };
  }
}
