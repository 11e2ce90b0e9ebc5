import { nearest } from '../base/suggest.ts';
import { problem } from '../base/problem.ts';
import type { Bytes } from '../host/host.ts';
import { placeOfKey, type Document, type Entry } from '../unit/document.ts';
import { isServiceStem, serviceStem, type UnitName } from '../unit/names.ts';
import { plainBoolean, scalar } from '../unit/values.ts';
import { buildResource } from './build.ts';
import { containerName } from './container.ts';
import { imageResource } from './image.ts';
import { keysOf } from './key-tables.ts';
import { quadletKeys } from './keys-images.ts';
import type { KeyTable } from './keys.ts';
import { fail, failAt, failKey, failSection, type Unit } from './model.ts';
import { networkName } from './network.ts';
import { podName } from './pod.ts';
import { lastItem, readScalar } from './read.ts';
import { volumeName } from './volume.ts';

/** A unit file that was read. */
export interface Loaded {
  readonly name: UnitName;
  readonly path: Bytes;
  readonly directory: Bytes;
  readonly document: Document;
}

/** First look at a unit, alone: its keys, the name of its service, and what a reference to it will become. */
export function unitOf({ name, path, directory, document }: Loaded): Unit {
  const table = keysOf(name.type);
  const sections = sectionsOf(document, table.section);
  const unit: Unit = {
    name,
    path,
    directory,
    document,
    table,
    present: new Map(),
    rows: [],
    unit: sections.unit,
    service: sections.service,
    install: sections.install,
    defaultDependencies: true,
    stem: '',
    resource: undefined,
    members: [],
    problems: [...document.problems],
    dropInProblems: [],
    references: [],
  };
  collect(unit, table, sections.type, unit.present, unit.rows);
  if (sections.quadlet.length > 0) quadletSection(unit, sections.quadlet);
  unit.stem = stemOf(unit);
  unit.resource = resourceOf(unit);
  return unit;
}

interface Sections {
  type: readonly Entry[];
  unit: readonly Entry[];
  service: readonly Entry[];
  install: readonly Entry[];
  quadlet: readonly Entry[];
}

/** The assignments of the sections that matter, in one pass; sections of one name are put together. */
function sectionsOf(document: Document, type: string): Sections {
  const found: Sections = { type: NONE, unit: NONE, service: NONE, install: NONE, quadlet: NONE };
  for (const { name, entries } of document.sections) {
    if (name === type) found.type = found.type === NONE ? entries : [...found.type, ...entries];
    else if (name === 'Unit') found.unit = found.unit === NONE ? entries : [...found.unit, ...entries];
    else if (name === 'Service') found.service = found.service === NONE ? entries : [...found.service, ...entries];
    else if (name === 'Install') found.install = found.install === NONE ? entries : [...found.install, ...entries];
    else if (name === 'Quadlet') found.quadlet = found.quadlet === NONE ? entries : [...found.quadlet, ...entries];
  }
  return found;
}

const NONE: readonly Entry[] = [];

/** Keys of a section by name; unknown ones are errors, each with the key that was probably meant. */
function collect(
  unit: Unit,
  table: KeyTable,
  entries: readonly Entry[],
  into: Map<Bytes, Entry[]>,
  rows: number[],
): void {
  const { index } = table;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    if (entry === undefined) break;
    const { key } = entry;
    const known = into.get(key);
    if (known !== undefined) {
      known.push(entry);
      continue;
    }
    const at = index.get(key);
    if (at === undefined) {
      unknownKey(unit, table, entry);
      continue;
    }
    into.set(key, [entry]);
    rows[rows.length] = at;
  }
  if (rows.length > 1) rows.sort(ascending);
}

function ascending(a: number, b: number): number {
  return a - b;
}

function unknownKey(unit: Unit, table: KeyTable, entry: Entry): void {
  const near = nearest(entry.key, table.index.keys());
  const hint = near === undefined ? `see \`berth help keys ${table.section}\`` : `did you mean \`${near}\`?`;
  const message = `unsupported key '${entry.key}' in group '${table.section}' in ${unit.path}`;
  unit.problems.push(problem('unknown-key', message, { ...placeOfKey(entry), key: entry.key, hint }));
}

function quadletSection(unit: Unit, entries: readonly Entry[]): void {
  const present = new Map<Bytes, Entry[]>();
  collect(unit, quadletKeys(), entries, present, []);
  const entry = present.get('DefaultDependencies')?.at(-1);
  if (entry === undefined) return;
  const value = plainBoolean(scalar(entry.value));
  if (value === undefined) {
    failAt(unit, entry, 'boolean', `\`DefaultDependencies=${entry.value}\` is neither true nor false`, {
      hint: 'write yes or no',
    });
  }
  unit.defaultDependencies = value ?? true;
}

function stemOf(unit: Unit): Bytes {
  const item = lastItem(unit, 'ServiceName');
  const usual = serviceStem(unit.name);
  if (item === undefined || item.value === '') {
    if (!isServiceStem(usual)) {
      const hint = 'use letters, digits and :_.-\\@ only';
      fail(unit, 'unit-name', `the file name makes no valid service name: ${usual}.service`, hint);
    }
    return usual;
  }
  if (isServiceStem(item.value)) return item.value;
  const hint = 'use letters, digits and :_.-\\@ only, without .service';
  failAt(unit, item.entry, 'unit-name', `\`ServiceName=${item.value}\` is no name of a service`, { hint });
  return usual;
}

function resourceOf(unit: Unit): Bytes | undefined {
  switch (unit.name.type) {
    case 'container': {
      const given = containerName(unit);
      const name = given.includes('%N') ? given.replaceAll('%N', unit.stem) : given;
      return name.includes('%') ? undefined : name;
    }
    case 'pod':
      return named(unit, podName(unit), 'PodName');
    case 'volume':
      return named(unit, volumeName(unit), 'VolumeName');
    case 'network':
      return named(unit, networkName(unit), 'NetworkName');
    case 'image':
      return imageResource(unit);
    case 'build':
      return buildResource(unit);
    case 'artifact':
      return readScalar(unit, 'Artifact');
    case 'kube':
      return undefined;
  }
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Names of resources reach file names and the commands of other units (T20). */
function named(unit: Unit, name: Bytes, key: string): Bytes {
  if (name.includes('%') || name.includes('$') || NAME.test(name)) return name;
  const entry = unit.present.get(key)?.at(-1);
  const hint = 'use letters, digits, `_`, `.` and `-`';
  if (entry !== undefined && scalar(entry.value) !== '')
    failKey(unit, entry, 'value', `\`${key}=${name}\` has the wrong form`, hint);
  else failSection(unit, 'value', `${name} is no name of a ${unit.name.type}`, `write ${key}=; ${hint}`);
  return name;
}
