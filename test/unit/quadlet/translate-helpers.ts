import { unitOf } from '../../../src/quadlet/load.ts';
import type { Setting, Unit } from '../../../src/quadlet/model.ts';
import { translateAll, type Translation } from '../../../src/quadlet/translate.ts';
import { lex } from '../../../src/unit/lexer.ts';
import { parseUnitName, typeOf } from '../../../src/unit/names.ts';

/** Translates files (name to text) of one directory. */
export function translate(
  files: Readonly<Record<string, string>>,
  more: Partial<Setting> = {},
): Map<string, Translation> {
  const units = unitsOf(files);
  const setting: Setting = {
    graph: new Map(units.map(unit => [unit.name.name, unit])),
    user: false,
    program: '/usr/bin/berth',
    account: (_, name) => (name === 'root' ? 0 : name === 'www-data' ? 33 : undefined),
    exists: () => false,
    asPeer: false,
    ...more,
  };
  return new Map(translateAll(units, setting).map(one => [one.unit.name.name, one]));
}

export function unitsOf(files: Readonly<Record<string, string>>): Unit[] {
  return Object.entries(files).map(([name, text]) => {
    const type = typeOf(name);
    if (type === undefined) throw new Error(name);
    const path = `/q/${name}`;
    return unitOf({ name: parseUnitName(name, type), path, directory: '/q', document: lex(path, text) });
  });
}

/** Problems as `SEVERITY LINE:COLUMN CODE`. */
export function problemsOf(translation: Translation | undefined): string[] {
  return (translation?.unit.problems ?? []).map(p => `${p.severity} ${p.line ?? 0}:${p.column ?? 0} ${p.code}`);
}

/** Values of a key in the text of a service, in order, with the lines of a continuation as they are. */
export function valuesOf(text: string, section: string, key: string): string[] {
  const found: string[] = [];
  let current = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('[')) current = line.slice(1, -1);
    else if (current === section && line.startsWith(`${key}=`)) found.push(line.slice(key.length + 1));
  }
  return found;
}
