import type { AccountLookup } from './accounts.ts';
import { problem, type Problem } from '../base/problem.ts';
import type { Bytes } from '../host/host.ts';
import { placeOf, placeOfKey, type Document, type Entry } from '../unit/document.ts';
import type { UnitName } from '../unit/names.ts';
import type { KeyTable } from './keys.ts';

/** A unit file on its way to a service. */
export interface Unit {
  readonly name: UnitName;
  /** Where it was found; SourcePath= of the service. */
  readonly path: Bytes;
  /** Relative paths are below it. */
  readonly directory: Bytes;
  readonly document: Document;
  readonly table: KeyTable;
  /** Assignments of the type's section, by key. */
  readonly present: Map<Bytes, Entry[]>;
  /** Rows of the table that are present, in the table's order. */
  readonly rows: number[];
  /** Assignments of [Unit], [Service], [Install]. */
  readonly unit: readonly Entry[];
  readonly service: readonly Entry[];
  readonly install: readonly Entry[];
  defaultDependencies: boolean;
  /** Name of the service without `.service`. */
  stem: Bytes;
  /** What a reference to this unit becomes; undefined: nothing can refer to it. */
  resource: Bytes | undefined;
  /** Pods: services that start with it. */
  readonly members: Bytes[];
  readonly problems: Problem[];
  /** Of drop-ins that could not be read: problems of the unit, but where it is made without them, as the peer does. */
  readonly dropInProblems: Problem[];
  readonly references: Reference[];
}

/** A unit that another one names. */
export interface Reference {
  readonly unit: Unit;
  readonly entry: Entry;
}

/** The units of a run, by file name. */
export type Graph = Pick<ReadonlyMap<Bytes, Unit>, 'get'>;

export function graphOf(units: readonly Unit[]): Graph {
  return new Map(units.map(unit => [unit.name.name, unit]));
}

/** Lines that a translation adds, and the text of its commands. */
export interface Draft {
  /** First in [Unit]. */
  readonly head: Bytes[];
  /** Last in [Unit]. */
  readonly tail: Bytes[];
  /** Last in [Service]. */
  readonly lines: Bytes[];
}

/** What all translations of a run share. */
export interface Setting {
  readonly graph: Graph;
  readonly user: boolean;
  /** The program of Exec lines. */
  readonly program: Bytes;
  /** Numeric ids of account and group names, for keys that need numbers; undefined: unknown. */
  readonly account: AccountLookup;
  readonly exists: (path: Bytes) => boolean;
  /** No failing units are wanted (`--no-failure-units`): what the peer writes, though systemd refuses it, is written as well. */
  readonly asPeer: boolean;
}

/** Notes a problem of the unit itself, without a place in its text but the file. */
export function fail(unit: Unit, code: string, message: string, hint?: string): void {
  unit.problems.push(problem(code, message, { file: unit.path, ...(hint !== undefined && { hint }) }));
}

/** Notes a problem of what the section of the unit's type lacks: at its header. */
export function failSection(unit: Unit, code: string, message: string, hint: string): void {
  const { document, table } = unit;
  const section = document.sections.find(one => one.name === table.section);
  const place = section === undefined ? {} : { file: section.source.path, line: section.at + 1, column: 1 };
  unit.problems.push(problem(code, message, { file: unit.path, ...place, hint }));
}

/** Notes a problem of a value. */
export function failAt(
  unit: Unit,
  entry: Entry,
  code: string,
  message: string,
  more: { part?: Bytes; hint?: string } = {},
): void {
  unit.problems.push(atEntry(entry, code, message, more));
}

/** Notes something that does not hinder the translation. */
export function warnAt(
  unit: Unit,
  entry: Entry,
  code: string,
  message: string,
  more: { part?: Bytes; hint?: string } = {},
): void {
  unit.problems.push({ ...atEntry(entry, code, message, more), severity: 'warning' });
}

/** Notes a key that means nothing here: nothing is ignored silently. */
export function warnIgnored(unit: Unit, key: Bytes, why: string): void {
  const entry = unit.present.get(key)?.at(-1);
  if (entry === undefined || entry.value === '') return;
  const p = problem('ignored', `\`${key}=\` has no effect ${why}`, { ...placeOfKey(entry), key });
  unit.problems.push({ ...p, severity: 'warning' });
}

/** Notes a problem of a key. */
export function failKey(unit: Unit, entry: Entry, code: string, message: string, hint?: string): void {
  const place = { ...placeOfKey(entry), key: entry.key, ...(hint !== undefined && { hint }) };
  unit.problems.push(problem(code, message, place));
}

function atEntry(entry: Entry, code: string, message: string, more: { part?: Bytes; hint?: string }): Problem {
  const hint = more.hint === undefined ? {} : { hint: more.hint };
  return problem(code, message, { ...placeOf(entry, more.part), key: entry.key, ...hint });
}
