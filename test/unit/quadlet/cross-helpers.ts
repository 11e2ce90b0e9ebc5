import { crossCheck } from '../../../src/quadlet/cross-check.ts';
import type { Setting } from '../../../src/quadlet/model.ts';
import { translateAll } from '../../../src/quadlet/translate.ts';
import { unitsOf } from './translate-helpers.ts';

/** `asked`: names of the files that are asked for; all of them without. */
export function across(files: Readonly<Record<string, string>>, asked?: readonly string[]): string[] {
  const units = unitsOf(files);
  const setting: Setting = {
    graph: new Map(units.map(unit => [unit.name.name, unit])),
    user: false,
    program: '/usr/bin/berth',
    account: (_, name) => (name === 'root' ? 0 : undefined),
    exists: () => false,
    asPeer: false,
  };
  translateAll(units, setting);
  const shown = asked === undefined ? units : units.filter(unit => asked.includes(unit.name.name));
  return crossCheck(units, setting, shown).map(p => `${p.severity} ${p.code} ${p.file ?? ''}:${p.line ?? 0}`);
}
