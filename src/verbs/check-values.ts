import { problem, type Problem } from '../base/problem.ts';
import type { KeyRow } from '../quadlet/keys.ts';
import type { Unit } from '../quadlet/model.ts';
import { assignments, lastItem, readArguments, readList, readWords, type Item } from '../quadlet/read.ts';
import { placeOf } from '../unit/document.ts';
import type { UnitType } from '../unit/names.ts';
import { splitArguments } from '../unit/values.ts';
import { isExpanded } from './check-judge.ts';
import { RULES, type Rule, type Told } from './check-rules.ts';
import { LATER_VERBS } from './table.ts';

/** Values of a form that the start takes, and that yet cannot be meant, or end it later than its command line does. */
export function valueProblems(units: readonly Unit[]): Problem[] {
  return units.flatMap(unit => [...judged(unit, RULES), ...environment(unit), ...withoutVerb(unit)]);
}

/** Every value of the keys that have a rule, by `KEY` or by `TYPE.KEY`. */
export function judged(unit: Unit, rules: Readonly<Record<string, Rule>>): Problem[] {
  return unit.table.rows.flatMap(row => {
    const rule = rules[`${unit.name.type}.${row.key}`] ?? rules[row.key];
    if (rule === undefined) return [];
    return itemsOf(unit, row).flatMap(item => {
      const told = item.value === '' || isExpanded(item.value) ? undefined : rule(item.value, unit);
      return told === undefined ? [] : asProblem(unit, row, item, told);
    });
  });
}

/** Nothing where the value has a problem already. */
function asProblem(unit: Unit, { key }: KeyRow, { value, entry }: Item, { what, hint, refused }: Told): Problem[] {
  const place = { ...placeOf(entry, value), key, ...(hint === undefined ? {} : { hint }) };
  const counts = ({ severity, code }: Problem): boolean => severity === 'error' || code === 'ignored';
  if (unit.problems.some(p => counts(p) && p.key === key && p.line === place.line)) return [];
  const message = `\`${key}=${value}\`: ${what}`;
  return [{ ...problem('value', message, place), severity: refused === true ? 'error' : 'warning' }];
}

/** The values of a key as its kind has them; what is wrong with their form was said before. */
function itemsOf(unit: Unit, { key, kind }: KeyRow): readonly Item[] {
  const copy: Unit = { ...unit, problems: [] };
  if (kind === 'list') return readList(copy, key);
  if (kind === 'words') return readWords(copy, key);
  if (kind === 'args') return readArguments(copy, key);
  return [lastItem(copy, key) ?? []].flat();
}

/** `Environment=A=b c`: the second word is a variable of its own, whose value comes from the unit. */
function environment(unit: Unit): Problem[] {
  return assignments(unit, 'Environment').flatMap(entry => {
    const { words } = splitArguments(entry.value);
    const at = words.findIndex((word, i) => i > 0 && !word.includes('=') && words[i - 1]?.includes('=') === true);
    const word = words[at];
    if (word === undefined || isExpanded(word)) return [];
    const message = `\`${entry.key}=\`: \`${word}\` is a word of its own: it passes the variable of this name on, if the unit has it`;
    const hint = `put quotes around the whole: "${words[at - 1] ?? ''} ${word}"`;
    return [{ ...problem('value', message, { ...placeOf(entry, word), key: entry.key, hint }), severity: 'warning' }];
  });
}

const VERB: Partial<Record<UnitType, string>> = { kube: 'kube play', build: 'build', artifact: 'artifact pull' };

/** Units that are translated and cannot start yet. */
function withoutVerb({ name, path }: Unit): Problem[] {
  const verb = LATER_VERBS.find(row => row.name === VERB[name.type]);
  if (verb === undefined) return [];
  const message = `this version of Berth does not have the verb \`${verb.name}\` yet: the unit fails when it starts`;
  return [{ ...problem('no-verb', message, { file: path }), severity: 'warning' }];
}
