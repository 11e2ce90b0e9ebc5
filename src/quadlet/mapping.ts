import type { OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import { unsigned } from '../unit/values.ts';
import type { Special } from './options.ts';
import { failAt, warnIgnored, type Unit } from './model.ts';
import { assignments, lastItem, readScalar, readWords } from './read.ts';

const EXPLICIT = ['UserNS', 'UIDMap', 'GIDMap', 'SubUIDMap', 'SubGIDMap'] as const;

/** User namespace keys; every one of them calls the same code, which acts for the first present one of the table's order. */
export function mappingSpecials(manual: boolean): Readonly<Record<string, Special>> {
  const explicit = (key: string, option: string): Special => {
    return (unit, uses) => {
      for (const { value } of readWords(unit, key)) uses.push({ name: option, value });
    };
  };
  const single = (key: string, option: string): Special => {
    return (unit, uses) => {
      const value = readScalar(unit, key);
      if (value !== undefined) uses.push({ name: option, value });
    };
  };
  return {
    UserNS: single('UserNS', 'userns'),
    UIDMap: explicit('UIDMap', 'uidmap'),
    GIDMap: explicit('GIDMap', 'gidmap'),
    SubUIDMap: single('SubUIDMap', 'subuidname'),
    SubGIDMap: single('SubGIDMap', 'subgidname'),
    RemapUsers: (unit, uses) => remap(unit, uses, manual),
    RemapUid: without('RemapUid'),
    RemapGid: without('RemapGid'),
    RemapUidSize: unit => {
      if (lastItem(unit, 'RemapUsers')?.value === 'auto') return;
      warnIgnored(unit, 'RemapUidSize', 'without RemapUsers=auto');
      sizeOf(unit);
    },
  };
}

function without(key: string): Special {
  return unit => {
    const entry = unit.present.get(key)?.at(-1);
    if (entry === undefined || lastItem(unit, 'RemapUsers') !== undefined) return;
    if (!explicitlySet(unit, entry.key))
      failAt(unit, entry, 'remap', `${key} set without RemapUsers`, { hint: 'use UIDMap= and GIDMap=' });
  };
}

/** True, with an error, when old and new keys meet. */
function explicitlySet(unit: Unit, key: string): boolean {
  const set = EXPLICIT.some(name => assignments(unit, name).length > 0);
  const entry = unit.present.get(key)?.at(-1);
  if (set && entry !== undefined) {
    const hint = 'keep UserNS=, UIDMap= and GIDMap=';
    failAt(unit, entry, 'remap', 'deprecated Remap keys are set along with explicit mapping keys', { hint });
  }
  return set;
}

function remap(unit: Unit, uses: OptionUse[], manual: boolean): void {
  const item = lastItem(unit, 'RemapUsers');
  if (item === undefined || explicitlySet(unit, 'RemapUsers')) return;
  const uids = readWords(unit, 'RemapUid').map(one => one.value);
  const gids = readWords(unit, 'RemapGid').map(one => one.value);
  switch (item.value) {
    case '':
      if (uids.length + gids.length > 0)
        failAt(unit, item.entry, 'remap', 'RemapUid or RemapGid set without RemapUsers');
      return;
    case 'manual':
      if (!manual) failAt(unit, item.entry, 'remap', 'RemapUsers=manual is not supported', { hint: 'use UserNS=' });
      for (const value of uids) uses.push({ name: 'uidmap', value });
      for (const value of gids) uses.push({ name: 'gidmap', value });
      return;
    case 'auto':
      return automatic(unit, uses, uids, gids);
    case 'keep-id':
      if (uids.length > 1 || gids.length > 1)
        failAt(unit, item.entry, 'remap', 'RemapUsers=keep-id takes one RemapUid and one RemapGid');
      uses.push(withOptions('keep-id', [...uids.map(v => `uid=${v}`), ...gids.map(v => `gid=${v}`)]));
      return;
    default:
      failAt(unit, item.entry, 'remap', `unsupported RemapUsers option '${item.value}'`, {
        hint: 'write manual, auto or keep-id',
      });
  }
}

function automatic(unit: Unit, uses: OptionUse[], uids: readonly Bytes[], gids: readonly Bytes[]): void {
  const options = [...uids.map(v => `uidmapping=${v}`), ...gids.map(v => `gidmapping=${v}`)];
  const size = sizeOf(unit);
  if (size > 0) options.push(`size=${size}`);
  uses.push(withOptions('auto', options));
}

function sizeOf(unit: Unit): number {
  const size = lastItem(unit, 'RemapUidSize');
  if (size === undefined || size.value === '') return 0;
  const number = unsigned(size.value);
  if (number === undefined) {
    const hint = 'write a whole number';
    failAt(unit, size.entry, 'value', `\`RemapUidSize=${size.value}\` is not a number`, { hint });
  }
  return number ?? 0;
}

function withOptions(mode: string, options: readonly string[]): OptionUse {
  return { name: 'userns', value: options.length === 0 ? mode : `${mode}:${options.join(',')}` };
}
