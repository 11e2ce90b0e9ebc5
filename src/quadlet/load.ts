import { nearest } from '../base/suggest.ts';
import { problem } from '../base/problem.ts';
import type { Bytes } from '../host/host.ts';
import { entriesOf, placeOfKey, type Document, type Entry } from '../unit/document.ts';
import { isServiceStem, parseUnitName, serviceStem, type UnitType } from '../unit/names.ts';
import { boolean, scalar } from '../unit/values.ts';
import { buildResource } from './build.ts';
import { containerName } from './container.ts';
import { imageResource } from './image.ts';
import { QUADLET_KEYS } from './keys-images.ts';
import type { KeyTable } from './keys.ts';
import { fail, failAt, failKey, tableOf, type Unit } from './model.ts';
import { networkName } from './network.ts';
import { podName } from './pod.ts';
import { lastItem, readScalar } from './read.ts';
import { volumeName } from './volume.ts';

/** A unit file that was read. */
export interface Loaded {
  readonly name: Bytes;
  readonly type: UnitType;
  readonly path: Bytes;
  readonly directory: Bytes;
  readonly document: Document;
}

/** First look at a unit, alone: its keys, the name of its service, and what a reference to it will become. */
export function unitOf({ name, type, path, directory, document }: Loaded): Unit {
  const table = tableOf(type);
  const unit: Unit = {
    name: parseUnitName(name, type),
    path,
    directory,
    document,
    table,
    present: new Map(),
    unit: entriesOf(document, 'Unit'),
    service: entriesOf(document, 'Service'),
    install: entriesOf(document, 'Install'),
    defaultDependencies: true,
    stem: '',
    resource: undefined,
    members: [],
    problems: [...document.problems],
    dropInProblems: [],
    references: [],
  };
  collect(unit, table, unit.present);
  quadletSection(unit);
  unit.stem = stemOf(unit);
  unit.resource = resourceOf(unit);
  return unit;
}

/** Keys of a section by name; unknown ones are errors, each with the key that was probably meant. */
function collect(unit: Unit, table: KeyTable, into: Map<Bytes, Entry[]>): void {
  const { index } = table;
  for (const entry of entriesOf(unit.document, table.section)) {
    const known = into.get(entry.key);
    if (known !== undefined) known.push(entry);
    else if (index.has(entry.key)) into.set(entry.key, [entry]);
    else unknownKey(unit, table, entry);
  }
}

function unknownKey(unit: Unit, table: KeyTable, entry: Entry): void {
  const near = nearest(entry.key, table.index.keys());
  const hint = near === undefined ? `see \`berth help keys ${table.section}\`` : `did you mean \`${near}\`?`;
  const message = `unsupported key '${entry.key}' in group '${table.section}' in ${unit.path}`;
  unit.problems.push(problem('unknown-key', message, { ...placeOfKey(entry), key: entry.key, hint }));
}

function quadletSection(unit: Unit): void {
  const present = new Map<Bytes, Entry[]>();
  collect(unit, QUADLET_KEYS, present);
  const entry = present.get('DefaultDependencies')?.at(-1);
  if (entry === undefined) return;
  const value = boolean(scalar(entry.value));
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
      const name = containerName(unit).replaceAll('%N', unit.stem);
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
  if (entry !== undefined) {
    const hint = 'use letters, digits, `_`, `.` and `-`';
    failKey(unit, entry, 'value', `\`${key}=${name}\` has the wrong form`, hint);
  }
  return name;
}
