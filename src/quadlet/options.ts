import type { OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import { absolute } from '../unit/specifiers.ts';
import { faultOf } from './checks.ts';
import type { KeyRow } from './keys.ts';
import { failAt, type Unit } from './model.ts';
import { lastItem, readArguments, readBoolean, readList, readPairs, readWords, type Item } from './read.ts';

/** Code for keys that the table alone cannot express, by key. It stands in the file of the unit type. */
export type Special = (unit: Unit, uses: OptionUse[]) => void;

/**
 * The options that the keys of a unit become, in the order of the key table; only keys that the unit has are looked at.
 * Keys of `special` that are absent from the unit are not called either.
 */
export function optionsOf(unit: Unit, special: Readonly<Record<string, Special>>): OptionUse[] {
  const uses: OptionUse[] = [];
  const { rows, index } = unit.table;
  const present: number[] = [];
  for (const key of unit.present.keys()) {
    const at = index.get(key);
    if (at !== undefined) present.push(at);
  }
  present.sort(ascending);
  for (const at of present) {
    const row = rows[at];
    if (row === undefined) continue;
    if (row.special === true) special[row.key]?.(unit, uses);
    else if (row.option !== '') plainOption(unit, row, uses);
  }
  return uses;
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** One key by its row. */
export function plainOption(unit: Unit, row: KeyRow, uses: OptionUse[]): void {
  switch (row.kind) {
    case 'bool':
      return booleanOption(unit, row, uses);
    case 'pairs':
      for (const value of readPairs(unit, row.key)) uses.push(use(row, value));
      return;
    case 'scalar':
    case 'number': {
      const item = lastItem(unit, row.key);
      if (item !== undefined && (item.value !== '' || row.empty === true))
        uses.push(use(row, checked(unit, row, item)));
      return;
    }
    case 'list':
      for (const item of readList(unit, row.key)) uses.push(use(row, checked(unit, row, item)));
      return;
    case 'words':
      for (const item of readWords(unit, row.key)) uses.push(use(row, checked(unit, row, item)));
      return;
    case 'args':
    case 'args-last':
      for (const item of readArguments(unit, row.key)) uses.push(use(row, checked(unit, row, item)));
  }
}

function use(row: KeyRow, value: Bytes): OptionUse {
  const text = row.prefix === undefined ? value : row.prefix + value;
  if (row.joined === true) return { name: row.option, value: text, form: 'joined' };
  return row.short === true ? { name: row.option, value: text, form: 'short' } : { name: row.option, value: text };
}

function booleanOption(unit: Unit, row: KeyRow, uses: OptionUse[]): void {
  const value = readBoolean(unit, row.key);
  if (value === undefined) return;
  if (row.whenTrue === undefined) uses.push({ name: row.option, value: value ? 'true' : 'false' });
  else if (value) uses.push(use(row, row.whenTrue));
  else if (row.whenFalse !== undefined) uses.push(use(row, row.whenFalse));
}

/** The value of an item as the option takes it, with its form looked at. */
export function checked(unit: Unit, row: KeyRow, item: Item): Bytes {
  let { value } = item;
  if (row.check !== undefined && value !== '') check(unit, row, item);
  if (row.lower === true) value = value.toLowerCase();
  if (row.path === true) value = absolute(value, unit.directory);
  return value;
}

function check(unit: Unit, row: KeyRow, item: Item): void {
  if (row.check === undefined) return;
  const what = faultOf(row.check, item.value);
  if (what === undefined) return;
  const text =
    row.check === 'expose' ? `invalid port format '${item.value}'` : `\`${row.key}=${item.value}\` has the wrong form`;
  failAt(unit, item.entry, 'value', text, { part: item.value, hint: `write ${what}` });
}
