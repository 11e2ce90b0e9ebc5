import { nearest } from '../base/suggest.ts';
import { problem, type Problem } from '../base/problem.ts';
import { placeOf, placeOfKey, type Entry, type Section } from '../unit/document.ts';
import { isTemplate } from '../unit/names.ts';
import type { Bytes } from '../host/host.ts';
import type { Rule } from './directive-forms.ts';
import { keysOfSection, OBSOLETE, ruleOf } from './directives.ts';
import type { Unit } from './model.ts';
import { expanded } from './refused-values.ts';
import { UNKNOWN } from './unknown-specifiers.ts';

/**
 * Lines of [Unit], [Service] and [Install], and whole sections, that systemd 257 passes over: it says so in its log alone, when it loads the
 * generated unit. Warnings for `berth check`; what it refuses to load is an error of the translation.
 */
export function ignoredLines(units: readonly Unit[]): Problem[] {
  return units.flatMap(unit => unit.document.sections.flatMap(section => ofSection(unit, section)));
}

const SECTIONS = ['Unit', 'Service', 'Install'];

function ofSection(unit: Unit, section: Section): Problem[] {
  const own = [unit.table.section, 'Quadlet'];
  const { name } = section;
  if (SECTIONS.includes(name)) return section.entries.flatMap(entry => ofEntry(unit, entry) ?? []);
  if (own.includes(name) || name.startsWith('X-')) return [];
  const near = nearest(name, [...SECTIONS, ...own]);
  const hint = near === undefined ? 'a name that begins with X- is left alone' : `did you mean \`[${near}]\`?`;
  const place = { file: section.source.path, line: section.at + 1, column: 1, hint };
  return [warning('ignored-section', `systemd passes over the section \`[${name}]\``, place)];
}

function ofEntry(unit: Unit, entry: Entry): Problem | undefined {
  const { key, value, section } = entry;
  if (key.startsWith('X-')) return undefined;
  const rule = ruleOf(section.name, key);
  if (rule === undefined) {
    const near = nearest(key, keysOfSection(section.name));
    const hint = near === undefined ? elsewhere(unit, key) : `did you mean \`${near}\`?`;
    return warning('ignored-key', `systemd 257 passes over \`${key}=\` in [${section.name}]`, {
      ...placeOfKey(entry),
      key,
      hint,
    });
  }
  const instead = OBSOLETE[key];
  if (instead !== undefined)
    return warning('obsolete-key', `\`${key}=\` is obsolete`, { ...placeOfKey(entry), key, hint: `use ${instead}` });
  if (key === 'DefaultInstance' && !isTemplate(unit.name))
    return warning('ignored-key', '`DefaultInstance=` is for templates alone', {
      ...placeOfKey(entry),
      key,
      hint: 'remove it',
    });
  if (value === '' ? rule.empty : judged(unit, rule, value)) return undefined;
  // Told as an error already.
  const place = placeOf(entry, rule.expands ? (UNKNOWN_PART.exec(value)?.[0] ?? '') : undefined);
  if (unit.problems.some(p => p.key === key && p.line === place.line)) return undefined;
  const message = `systemd 257 passes over \`${key}=${value}\` in [${section.name}], or a part of it`;
  return warning('ignored-value', message, { ...place, key, hint: `write ${rule.what}` });
}

/** Of values that are expanded, some are known at run time only. */
function judged(unit: Unit, { expands, fits }: Rule, value: Bytes): boolean {
  if (!expands || !value.includes('%')) return fits(value);
  if (UNKNOWN_PART.test(value.replaceAll('%%', ''))) return false;
  const plain = expanded(unit, value);
  return plain === undefined || fits(plain);
}

const UNKNOWN_PART = new RegExp(UNKNOWN.source.replace('%(%|', '%('), '');

/** A key of another section. */
function elsewhere(unit: Unit, key: string): string {
  const home = unit.table.index.has(key) ? unit.table.section : SECTIONS.find(name => ruleOf(name, key) !== undefined);
  return home === undefined ? 'a name that begins with X- is left alone' : `it belongs in [${home}]`;
}

function warning(code: string, message: string, place: Partial<Problem>): Problem {
  return { ...problem(code, message, place), severity: 'warning' };
}
