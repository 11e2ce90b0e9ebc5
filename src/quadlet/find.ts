import { problem, type Problem } from '../base/problem.ts';
import { HostError, type Bytes, type Files } from '../host/host.ts';
import { unitOf } from './load.ts';
import type { Unit } from './model.ts';
import { addDropIns } from '../unit/dropins.ts';
import type { Document } from '../unit/document.ts';
import { lex } from '../unit/lexer.ts';
import { parseUnitName } from '../unit/names.ts';
import type { DropIns, Found, FoundUnit } from '../unit/search.ts';
import { documentOfCut } from '../unit/usual.ts';

type LoadHost = Pick<Files, 'list' | 'readFile' | 'readUnit' | 'realpath' | 'stat'>;

/** Reads every unit that was found. Each unit carries its own problems: a bad file is one bad unit. */
export function loadUnits(host: LoadHost, found: Found, asPeer = false, saw?: (path: Bytes) => void): Unit[] {
  const units: Unit[] = [];
  for (const one of found.units) {
    if (one.masked) continue;
    saw?.(one.path);
    units.push(loadUnit(host, one, found.dropIns, asPeer));
  }
  return units;
}

/** Larger files are no unit files. */
const LARGEST = 16 * 1024 * 1024;

export function loadUnit(host: LoadHost, one: FoundUnit, dropIns: DropIns, asPeer = false): Unit {
  const { name, type, path, directory } = one;
  const document = readDocument(host, path, one.broken);
  const parsed = parseUnitName(name, type);
  const inDropIns = dropIns.size === 0 ? NONE : addDropIns(host, parsed, dropIns, document, asPeer);
  const unit = unitOf({ name: parsed, path, directory, document });
  if (inDropIns.length > 0) unit.dropInProblems.push(...inDropIns);
  return unit;
}

const NONE: readonly Problem[] = [];

function readDocument(host: LoadHost, path: Bytes, broken: string | undefined): Document {
  let reason = broken;
  let text = '';
  if (reason === undefined) {
    try {
      const cut = host.readUnit(path);
      if (cut !== undefined) return documentOfCut(path, cut);
      text = host.readFile(path, LARGEST);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      reason = error.message.replace(`${path}: `, '');
    }
  }
  const document = lex(path, text);
  if (reason !== undefined) {
    document.problems.push(problem('unreadable', `cannot be loaded: ${reason}`, { file: path }));
  }
  return document;
}
