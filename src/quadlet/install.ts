import type { Bytes } from '../host/host.ts';
import { isTemplate } from '../unit/names.ts';
import { clean } from '../unit/specifiers.ts';
import { scalar, splitWords } from '../unit/values.ts';
import { warnAt, type Unit } from './model.ts';
import { afterReset } from './read.ts';

/** A link in the output directory: relative path and target. */
export interface Link {
  readonly path: Bytes;
  readonly target: Bytes;
}

const DIRECTORIES = [
  ['WantedBy', 'wants'],
  ['RequiredBy', 'requires'],
  ['UpheldBy', 'upholds'],
] as const;

/** The links of [Install], which `systemctl enable` would refuse to make for a generated unit. */
export function installLinks(unit: Unit): Link[] {
  if (unit.install.length === 0) return [];
  const links: Link[] = [];
  for (const { value, warn } of words(unit, 'Alias')) {
    const path = clean(`/${value}`).slice(1);
    if (value.startsWith('/') || path === '' || escapes(value)) {
      warn(`Alias=${value} is not a name below the directory of units`);
      continue;
    }
    links.push({ path, target: '../'.repeat(path.split('/').length - 1) + `${unit.stem}.service` });
  }
  const name = instance(unit);
  if (name === undefined) return links;
  for (const [key, directory] of DIRECTORIES) {
    for (const { value, warn } of words(unit, key)) {
      if (value.includes('/') || value === '') warn(`${key}=${value} is not the name of a unit`);
      else links.push({ path: `${value}.${directory}/${name}.service`, target: `../${unit.stem}.service` });
    }
  }
  return links;
}

/** A relative path that leaves its directory on the way. */
function escapes(path: Bytes): boolean {
  let depth = 0;
  for (const part of path.split('/')) {
    depth += part === '..' ? -1 : part === '' || part === '.' ? 0 : 1;
    if (depth < 0) return true;
  }
  return false;
}

/** Under which name a unit is wanted: a template needs DefaultInstance=. */
function instance(unit: Unit): Bytes | undefined {
  if (!isTemplate(unit.name)) return unit.stem;
  const entry = unit.install.findLast(one => one.key === 'DefaultInstance');
  const name = entry === undefined ? '' : scalar(entry.value);
  if (name === '' || name.includes('/')) return undefined;
  const at = unit.stem.indexOf('@');
  return `${unit.stem.slice(0, at + 1)}${name}`;
}

function words(unit: Unit, key: string): { value: Bytes; warn: (message: string) => void }[] {
  const entries = afterReset(unit.install.filter(entry => entry.key === key));
  return entries.flatMap(entry => {
    const warn = (message: string): void => warnAt(unit, entry, 'install', message);
    const read = splitWords(entry.value);
    if (read.fault !== undefined) warn(`${key}= ${read.fault.message}`);
    return read.words.map(value => ({ value, warn }));
  });
}
