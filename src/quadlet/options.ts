import type { OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import type { Entry } from '../unit/document.ts';
import { absolute } from '../unit/specifiers.ts';
import { scalar } from '../unit/values.ts';
import { faultOf } from './checks.ts';
import type { KeyRow } from './keys.ts';
import { failAt, type Unit } from './model.ts';
import { assignments, lastOf, readArguments, readBoolean, readPairs, readWords, type Item } from './read.ts';
import { flagUse } from './service.ts';

/** Code for keys that the table alone cannot express, by key. It stands in the file of the unit type. */
export type Special = (unit: Unit, uses: OptionUse[]) => void;

/**
 * Adds the options that the keys of a unit become, in the order of the key table; only keys that the unit has are looked at.
 * Keys of `special` that are absent from the unit are not called either.
 */
export function addOptions(unit: Unit, special: (key: string, uses: OptionUse[]) => void, uses: OptionUse[]): void {
  const { rows } = unit.table;
  for (const at of unit.rows) {
    const row = rows[at];
    if (row === undefined) continue;
    if (row.special === true) special(row.key, uses);
    else if (row.option !== '') plainOption(unit, row, uses);
  }
}

/** The same for a unit type with few exceptions. */
export function optionsOf(unit: Unit, special: Readonly<Record<string, Special>>): OptionUse[] {
  const uses: OptionUse[] = [];
  addOptions(unit, key => special[key]?.(unit, uses), uses);
  return uses;
}

/** One key by its row. */
function plainOption(unit: Unit, row: KeyRow, uses: OptionUse[]): void {
  switch (row.kind) {
    case 'bool':
      return booleanOption(unit, row, uses);
    case 'pairs':
      for (const value of readPairs(unit, row.key)) uses.push({ name: row.option, value });
      return;
    case 'scalar':
    case 'number': {
      const entry = lastOf(unit, row.key);
      if (entry === undefined) return;
      const value = scalar(entry.value);
      if (value !== '' || row.empty === true) uses.push(use(unit, row, value, entry));
      return;
    }
    case 'list':
      for (const entry of assignments(unit, row.key)) uses.push(use(unit, row, entry.value, entry));
      return;
    case 'words':
      useAll(unit, row, readWords(unit, row.key), uses);
      return;
    case 'args':
    case 'args-last':
      useAll(unit, row, readArguments(unit, row.key), uses);
  }
}

function useAll(unit: Unit, row: KeyRow, items: readonly Item[], uses: OptionUse[]): void {
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (item !== undefined) uses.push(use(unit, row, item.value, item.entry));
  }
}

/** The option of a value, whose form is looked at on the way. */
function use(unit: Unit, row: KeyRow, given: Bytes, entry: Entry): OptionUse {
  // Most rows are bare: one look instead of five.
  if (row.bare === true) return { name: row.option, value: given };
  let value = given;
  if (row.check !== undefined && value !== '') {
    const what = faultOf(row.check, value);
    if (what !== undefined) wrongForm(unit, row, value, entry, what);
  }
  if (row.lower === true) value = value.toLowerCase();
  if (row.path === true) value = absolute(value, unit.directory);
  if (row.prefix !== undefined) value = row.prefix + value;
  return row.joined === true ? { name: row.option, value, form: 'joined' } : { name: row.option, value };
}

function wrongForm(unit: Unit, row: KeyRow, value: Bytes, entry: Entry, what: string): void {
  const text = row.check === 'expose' ? `invalid port format '${value}'` : `\`${row.key}=${value}\` has the wrong form`;
  failAt(unit, entry, 'value', text, { part: value, hint: `write ${what}` });
}

function booleanOption(unit: Unit, row: KeyRow, uses: OptionUse[]): void {
  const value = readBoolean(unit, row.key);
  if (value === undefined) return;
  const name = row.option;
  if (row.whenTrue === undefined) uses.push(flagUse(name, value));
  else if (value)
    uses.push(row.joined === true ? { name, value: row.whenTrue, form: 'joined' } : { name, value: row.whenTrue });
}
