import type { OptionRow, VerbRow } from '../../src/command/types.ts';
import { VERBS } from '../../src/verbs/table.ts';

/** What the completions of all shells take from the tables. */
export type Source = keyof typeof SOURCES | 'inspected' | 'files' | 'directories';

/** The commands that list what a word may be. */
export const SOURCES = {
  containers: "berth ps --all --format '{{.Names}}'",
  units: "berth quadlet list --noheading --format '{{.UnitName}}'",
  images: "berth images --format '{{.Repository}}:{{.Tag}}'",
  pods: "berth pod ls --format '{{.Name}}'",
  networks: "berth network ls --format '{{.Name}}'",
  volumes: "berth volume ls --format '{{.Name}}'",
  secrets: "berth secret ls --format '{{.Name}}'",
  accounts: 'getent passwd | cut -d: -f1',
} as const;

/** What `inspect` shows: without --type the source `inspected` is all of these, else the one of that type. */
export const INSPECTED: readonly Source[] = ['containers', 'images', 'volumes', 'networks', 'pods'];
export const INSPECTED_TYPES = INSPECTED.map(source => source.slice(0, -1)).join('|');

/** Verbs for people. */
export function shownVerbs(): readonly VerbRow[] {
  return VERBS.filter(row => row.hidden !== true);
}

export function offered(options: readonly OptionRow[]): readonly OptionRow[] {
  return options.filter(option => option.refused === undefined);
}

/** As they are written. */
export function optionWords({ name, short, aliases = [] }: OptionRow): string[] {
  return [`--${name}`, ...aliases.map(alias => `--${alias}`), ...(short === undefined ? [] : [`-${short}`])];
}

/** Those whose value may be the next word. */
export function takesWord({ kind, alone }: OptionRow): boolean {
  return kind !== 'flag' && alone === undefined;
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

/** A container of `run -d` has a unit without a file. */
const UNITS_OF_RUN: readonly string[] = ['start', 'restart', 'stop', 'status', 'why', 'logs'];

/** What operands may be, one place after the other; the last is for all that follow. */
export function operandsOf({ name, operands }: VerbRow): readonly (readonly Source[])[] {
  if (name === 'inspect') return [['inspected']];
  if (UNITS_OF_RUN.includes(name)) return [['units', 'containers'], ...(name === 'why' ? [[]] : [])];
  const places = operands.split(' ').filter(word => word !== '');
  return [...places.map(placeOf), ...(/\.\.\.\]*$/.test(operands) ? [] : [[]])];
}

function placeOf(place: string, at: number): readonly Source[] {
  const word = place.replace(/^\[+|[\].]+$/g, '');
  const sources: Source[] = [];
  if (word.startsWith('CONTAINER')) sources.push('containers');
  if (word in NAMED) sources.push(NAMED[word as keyof typeof NAMED]);
  if (place === 'NAME...' && at === 0) sources.push('units');
  if (/\b(FILE|DIR|PATH)\b/.test(word) || word === 'COMMAND' || word === 'ARG') sources.push('files');
  return sources;
}

const NAMED = {
  UNIT: 'units',
  IMAGE: 'images',
  POD: 'pods',
  NETWORK: 'networks',
  VOLUME: 'volumes',
  SECRET: 'secrets',
  ACCOUNT: 'accounts',
} as const;
