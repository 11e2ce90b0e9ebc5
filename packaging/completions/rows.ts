import type { OptionRow, VerbRow } from '../../src/command/types.ts';
import { VERBS } from '../../src/verbs/table.ts';

/** What the completions of all shells take from the tables. */
export type OperandKind = 'containers' | 'units' | 'images' | 'files';

/** The commands that list what an operand may be. */
export const SOURCES: Readonly<Record<Exclude<OperandKind, 'files'>, string>> = {
  containers: "berth ps --all --format '{{.Names}}'",
  units: "berth quadlet list --noheading --format '{{.UnitName}}'",
  images: "berth images --format '{{.Repository}}:{{.Tag}}'",
};

/** Verbs for people. */
export function shownVerbs(): readonly VerbRow[] {
  return VERBS.filter(row => row.hidden !== true);
}

export function offered(options: readonly OptionRow[]): readonly OptionRow[] {
  return options.filter(option => option.refused === undefined);
}

export function optionNames(options: readonly OptionRow[]): string {
  return offered(options)
    .map(option => `--${option.name}`)
    .join(' ');
}

/** First words of verbs of two words. */
export function groups(rows: readonly VerbRow[]): string[] {
  return [...new Set(rows.filter(row => row.name.includes(' ')).map(row => row.name.split(' ')[0] ?? ''))];
}

/** Second words of a group's verbs. */
export function second(rows: readonly VerbRow[], group: string): string {
  return rows
    .filter(row => row.name.startsWith(`${group} `))
    .map(row => row.name.slice(group.length + 1))
    .join(' ');
}

export function operandKind(row: VerbRow): OperandKind {
  if (row.operands.startsWith('CONTAINER') || row.name === 'inspect') return 'containers';
  if (/^(NAME|UNIT)/.test(row.operands)) return 'units';
  if (row.operands.startsWith('IMAGE')) return 'images';
  return 'files';
}
