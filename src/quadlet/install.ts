import type { Bytes } from '../host/host.ts';
import { lastEntry, type Entry } from '../unit/document.ts';
import { isTemplate } from '../unit/names.ts';
import { clean } from '../unit/specifiers.ts';
import { scalar, splitWords } from '../unit/values.ts';
import type { Across } from './across.ts';
import { warnAt, type Unit } from './model.ts';
import { afterReset, type Item } from './read.ts';

/** A link in the output directory: relative path and target. */
export interface Link {
  readonly path: Bytes;
  readonly target: Bytes;
}

const NOBODY: Across['claims'] = new Map();

/** The links of [Install], which `systemctl enable` would refuse to make for a generated unit. */
export function installLinks(unit: Unit, claims: Across['claims'] = NOBODY): Link[] {
  const links: Link[] = [];
  let name: Bytes | undefined;
  let keys: Set<Bytes> | undefined;
  for (const { key } of unit.install) {
    if (!LINKING.has(key)) {
      if (key === 'Also') alsoIsNot(unit);
      continue;
    }
    if (keys?.has(key) === true) continue;
    (keys ??= new Set()).add(key);
    if (key === 'Alias') {
      aliases(unit, claims, links);
      continue;
    }
    name ??= instance(unit, key, claims);
    if (name !== '') wanted(unit, key, name, links);
  }
  return links;
}

/** Directory of the links of each key; empty: another kind of link. */
const LINKING = new Map([
  ['Alias', ''],
  ['WantedBy', 'wants'],
  ['RequiredBy', 'requires'],
  ['UpheldBy', 'upholds'],
]);

function aliases(unit: Unit, claims: Across['claims'], links: Link[]): void {
  for (const { value, entry } of words(unit, 'Alias')) {
    const path = clean(`/${value}`).slice(1);
    if (value.startsWith('/') || path === '' || escapes(value)) {
      warnAt(unit, entry, 'install', `Alias=${value} is not a name below the directory of units`);
      continue;
    }
    if (!path.endsWith('.service')) odd(unit, entry, 'Alias', value, 'a name that ends in .service');
    const owner = path.endsWith('.service') ? claims.get(path.slice(0, -'.service'.length)) : undefined;
    if (owner !== undefined) {
      // A link of that name would stand where the file of a service does.
      if (owner !== unit.path) warnAt(unit, entry, 'install', `Alias=${value} is the name of the service of ${owner}`);
      continue;
    }
    // The instance that a link to the template makes has the template's aliases too: those are the template's.
    if (path.endsWith('@.service') && (unit.name.instance ?? '') !== '') continue;
    links.push({ path, target: '../'.repeat(path.split('/').length - 1) + `${unit.stem}.service` });
  }
}

function wanted(unit: Unit, key: Bytes, name: Bytes, links: Link[]): void {
  const directory = LINKING.get(key) ?? '';
  for (const { value, entry } of words(unit, key)) {
    const usual = value === 'default.target' || value === 'multi-user.target';
    if (!usual && !UNIT_NAME.test(value)) odd(unit, entry, key, value, 'the name of a unit, such as multi-user.target');
    if (value !== '' && !value.includes('/'))
      links.push({ path: `${value}.${directory}/${name}.service`, target: `../${unit.stem}.service` });
  }
}

const UNIT_NAME =
  /^[A-Za-z0-9:_.\\-][A-Za-z0-9:_.\\@-]*\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;

/** systemd passes over such a link, and says nothing of it: the service would not start at boot. */
function odd(unit: Unit, entry: Entry, key: Bytes, value: Bytes, what: string): void {
  warnAt(unit, entry, 'install', `\`${key}=${value}\` does nothing`, { part: value, hint: `write ${what}` });
}

function alsoIsNot(unit: Unit): void {
  const entry = lastEntry(unit.install, 'Also');
  const hint = 'write WantedBy= into the other file';
  if (entry !== undefined)
    warnAt(unit, entry, 'install', `\`Also=${entry.value}\` does nothing for a generated unit`, { hint });
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

/** Under which name a unit is wanted; empty for a template without DefaultInstance=. */
function instance(unit: Unit, key: Bytes, claims: Across['claims']): Bytes {
  if (!isTemplate(unit.name)) return unit.stem;
  const prefix = unit.stem.slice(0, unit.stem.indexOf('@') + 1);
  const entry = unit.install.findLast(one => one.key === 'DefaultInstance');
  const name = entry === undefined ? '' : scalar(entry.value);
  if (name !== '' && !name.includes('/')) return prefix + name;
  const wish = entry ?? lastEntry(unit.install, key);
  // Files of instances are wanted under their own names.
  const none = name === '' && [...claims.keys()].some(stem => stem !== unit.stem && stem.startsWith(prefix));
  if (wish !== undefined && !none) {
    const hint = 'write the name of an instance';
    warnAt(
      unit,
      wish,
      'install',
      `\`${key}=\` of a template does nothing without a DefaultInstance= that can be started`,
      { hint },
    );
  }
  return '';
}

function words(unit: Unit, key: string): Item[] {
  const items: Item[] = [];
  for (const entry of afterReset(unit.install.filter(one => one.key === key))) {
    const read = splitWords(entry.value);
    if (read.fault !== undefined) warnAt(unit, entry, 'install', `${key}= ${read.fault.message}`);
    for (const value of read.words) items.push({ value, entry });
  }
  return items;
}
