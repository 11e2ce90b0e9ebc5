import { kindsOf } from '../base/kinds.ts';
import type { Bytes } from '../host/host.ts';

export const UNIT_TYPES = ['container', 'pod', 'volume', 'network', 'kube', 'image', 'build', 'artifact'] as const;
export type UnitType = (typeof UNIT_TYPES)[number];

const TYPES = new Map<string, UnitType>(UNIT_TYPES.map(type => [type, type]));

/** The unit type of a file name: the text behind its last dot; undefined when that is no unit type. */
export function typeOf(name: Bytes): UnitType | undefined {
  return TYPES.get(name.slice(name.lastIndexOf('.') + 1));
}

/** `foo-bar@inst.container` cut into pieces: `prefix` foo-bar, `instance` inst (empty: a template; undefined: no `@`). */
export interface UnitName {
  readonly name: Bytes;
  /** The name without its extension. */
  readonly stem: Bytes;
  readonly type: UnitType;
  readonly prefix: Bytes;
  readonly instance: Bytes | undefined;
}

export function parseUnitName(name: Bytes, type: UnitType): UnitName {
  const stem = name.slice(0, name.length - type.length - 1);
  const at = stem.indexOf('@');
  if (at < 0) return { name, stem, type, prefix: stem, instance: undefined };
  return { name, stem, type, prefix: stem.slice(0, at), instance: stem.slice(at + 1) };
}

export function isTemplate(name: UnitName): boolean {
  return name.instance === '';
}

/** What the types add to the name of their service. */
const SUFFIX: Readonly<Record<UnitType, string>> = {
  container: '',
  kube: '',
  pod: '-pod',
  volume: '-volume',
  network: '-network',
  image: '-image',
  build: '-build',
  artifact: '-artifact',
};

/** The service's name without `.service`: `foo@.volume` gives `foo-volume@`. */
export function serviceStem(name: UnitName): Bytes {
  const suffix = SUFFIX[name.type];
  if (suffix === '') return name.stem;
  return name.instance === undefined ? name.stem + suffix : `${name.prefix}${suffix}@${name.instance}`;
}

const LONGEST = 247;
const VALID = /^[A-Za-z0-9:_.\\@-]{1,247}$/;

/** Whether systemd accepts `STEM.service` as the name of a unit (systemd.unit(5)). */
export function isServiceStem(stem: Bytes): boolean {
  // Letters, digits and `_.-` alone need no second look.
  if (kindsOf(stem) === 0 && stem !== '' && stem.length <= LONGEST) return true;
  return VALID.test(stem) && !stem.startsWith('@') && stem.indexOf('@') === stem.lastIndexOf('@');
}

/** Drop-in directories of a unit file, most specific first. */
export function dropInNames(name: UnitName): Bytes[] {
  const { type, prefix, instance } = name;
  const names = [`${name.name}.d`];
  if (instance !== undefined && instance !== '') names.push(`${prefix}@.${type}.d`);
  for (let dash = prefix.lastIndexOf('-', prefix.length - 2); dash > 0; dash = prefix.lastIndexOf('-', dash - 1)) {
    const cut = prefix.slice(0, dash + 1);
    if (instance !== undefined) names.push(`${cut}@.${type}.d`);
    names.push(`${cut}.${type}.d`);
  }
  names.push(`${type}.d`);
  return names;
}
