import { problem, type Problem } from '../base/problem.ts';
import { nearest } from '../base/suggest.ts';
import type { Bytes } from '../host/host.ts';
import { placeOf, type Entry } from '../unit/document.ts';
import { typeOf, type UnitType } from '../unit/names.ts';
import { splitWords } from '../unit/values.ts';
import { saidBy, type Said } from './argument-options.ts';
import { parseRecord } from './csv.ts';
import type { Unit } from './model.ts';
import { readArguments } from './read.ts';

type Kind = 'volume' | 'network';

/** A resource that is named as such, not by its unit file. */
interface Named {
  readonly kind: Kind;
  readonly name: Bytes;
  readonly entry: Entry;
  /** Types of the unit files that can be named here. */
  readonly units: readonly UnitType[];
}

/**
 * Volumes and networks by their bare names: a volume springs into being at the first start, also when its name was mistyped; without its
 * network a start fails. Nobody waits for the unit that makes them.
 */
export function bareNames(asked: readonly Unit[], units: readonly Unit[]): Problem[] {
  return asked.flatMap(unit => namesOf(unit).flatMap(named => judge(unit, named, units)));
}

function namesOf(unit: Unit): Named[] {
  return [
    ...saidBy(unit, 'Volume', 'volume').map(one => named('volume', beforeColon(one.value), one)),
    ...saidBy(unit, 'Mount', 'mount', readArguments).map(one => named('volume', volumeOfMount(one.value), one, IMAGES)),
    ...saidBy(unit, 'Network', 'network').map(one => named('network', one.value.split(':')[0] ?? '', one)),
  ].filter(one => isBare(one));
}

const IMAGES: readonly UnitType[] = ['image', 'build'];

/** In PodmanArgs= nothing is looked up. */
function named(kind: Kind, name: Bytes, { entry }: Said, more: readonly UnitType[] = []): Named {
  return { kind, name, entry, units: entry.key === 'PodmanArgs' ? [] : [...UNITS[kind], ...more] };
}

/** Which unit files can stand for it (references.ts). */
const UNITS: Readonly<Record<Kind, readonly UnitType[]>> = {
  volume: ['volume', 'artifact'],
  network: ['network', 'container'],
};

const beforeColon = (value: Bytes): Bytes => value.slice(0, Math.max(value.indexOf(':'), 0));

function volumeOfMount(value: Bytes): Bytes {
  const fields = parseRecord(value) ?? [];
  const type = fields.findLast(field => field.startsWith('type=')) ?? 'type=volume';
  return type === 'type=volume'
    ? (fields.findLast(field => /^(src|source)=/.test(field)) ?? '').replace(/^\w+=/, '')
    : '';
}

/** podman-run(1), --network. */
const MODES = ['none', 'host', 'private', 'default', 'bridge', 'podman', 'pasta', 'slirp4netns', 'container', 'ns'];

function isBare({ kind, name, units }: Named): boolean {
  const type = typeOf(name);
  if (name === '' || /^[/.~]|[%$]/.test(name) || (type !== undefined && units.includes(type))) return false;
  return kind === 'volume' || !MODES.includes(name);
}

function judge(unit: Unit, { kind, name, entry, units: types }: Named, units: readonly Unit[]): Problem[] {
  const owner = units.find(other => other.name.type === kind && other.resource === name);
  const place = { ...placeOf(entry, name), key: entry.key };
  if (owner === undefined && typeOf(name) !== undefined) {
    const message = `\`${name}\` is taken for the name of a ${kind}: \`${entry.key}=\` looks up no such unit file`;
    const hint = `write ${types.length > 0 ? `NAME.${types.join(' or NAME.')}` : `${kind === 'volume' ? 'Volume' : 'Network'}=${name}`}`;
    return [warning(`no-${kind}`, message, { ...place, hint })];
  }
  if (owner !== undefined) {
    if (waitsFor(unit, owner)) return [];
    const message = `the ${kind} \`${name}\` is made by ${owner.name.name}, and this unit does not wait for it`;
    return [warning(`unordered-${kind}`, message, { ...place, hint: `write ${owner.name.name}` })];
  }
  const files = units.filter(other => other.name.type === kind).map(other => other.name.name);
  const near = nearest(name, kind === 'network' ? [...MODES, ...files] : files);
  const hint = near === undefined ? `write ${name}.${kind} and add that file` : `did you mean ${near}?`;
  return [warning(`undefined-${kind}`, `no .${kind} file defines the ${kind} \`${name}\``, { ...place, hint })];
}

const ORDERING = ['After', 'Requires', 'Wants', 'BindsTo'];

/** Told in [Unit], by the name of the service or of the file. */
function waitsFor(unit: Unit, owner: Unit): boolean {
  if (unit.references.some(reference => reference.unit === owner)) return true;
  const words = unit.unit.filter(({ key }) => ORDERING.includes(key)).flatMap(({ value }) => splitWords(value).words);
  return words.includes(`${owner.stem}.service`) || words.includes(owner.name.name);
}

function warning(code: string, message: string, place: Partial<Problem>): Problem {
  return { ...problem(code, message, place), severity: 'warning' };
}
