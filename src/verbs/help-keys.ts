import { keysOf } from '../quadlet/key-tables.ts';
import { quadletKeys } from '../quadlet/keys-images.ts';
import { repeats, type KeyRow, type KeyTable } from '../quadlet/keys.ts';
import { UNIT_TYPES } from '../unit/names.ts';

/** The tables of all sections, [Quadlet] last. */
export function keyTables(): KeyTable[] {
  return [...UNIT_TYPES.map(keysOf), quadletKeys()];
}

export function allKeys(): string[] {
  return [...new Set(keyTables().flatMap(table => table.rows.map(row => row.key)))];
}

/** `berth help keys [SECTION]`: one line per key; empty when there is no such section. */
export function listKeys(section?: string): string {
  const tables = keyTables().filter(
    table => section === undefined || table.section.toLowerCase() === section.toLowerCase(),
  );
  return tables.map(table => [`[${table.section}]`, ...table.rows.map(keyLine), ''].join('\n')).join('\n');
}

function keyLine(row: KeyRow): string {
  return `  ${`${row.key}=`.padEnd(24)}${row.help}${row.deprecated === undefined ? '' : ` (use ${row.deprecated})`}`;
}

const KINDS: Readonly<Record<KeyRow['kind'], string>> = {
  scalar: 'one value; the last assignment counts',
  list: 'one value per assignment',
  words: 'values with blanks between them; quotes group',
  args: 'values with blanks between them; quotes group, C escapes are decoded',
  'args-last': 'words; the last assignment counts',
  pairs: 'NAME=VALUE words; the last of a name counts',
  bool: 'yes or no',
  number: 'a number',
};

/** `berth check --explain KEY`: the rows of a key, `Section.Key` or `Key`; empty when there is none. */
export function explainKey(name: string): string {
  const [key = '', section] = name.replace(/=$/, '').split('.').reverse();
  const parts: string[] = [];
  for (const table of keyTables()) {
    if (section !== undefined && table.section.toLowerCase() !== section.toLowerCase()) continue;
    const row = table.rows.find(one => one.key.toLowerCase() === key.toLowerCase());
    if (row !== undefined) parts.push(explainRow(table, row));
  }
  return parts.join('\n');
}

function explainRow(table: KeyTable, row: KeyRow): string {
  const option = row.option === '' ? 'none of its own' : `--${row.option}`;
  const lines = [
    `[${table.section}] ${row.key}=`,
    `  ${row.help}`,
    `  value:      ${KINDS[row.kind]}${row.path === true ? '; relative paths are below the unit file' : ''}`,
    `  repeatable: ${repeats(row) ? 'yes; an empty assignment forgets the earlier ones' : 'no'}`,
    `  option:     ${option}`,
    `  since:      Podman ${row.since}; every version of Berth`,
  ];
  if (row.deprecated !== undefined) lines.push(`  deprecated: use ${row.deprecated}`);
  return `${lines.join('\n')}\n`;
}
