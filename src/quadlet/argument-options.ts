import { POD_CREATE } from '../command/options-pod.ts';
import { RUN } from '../command/options-run.ts';
import { parseVerb } from '../command/parse.ts';
import type { VerbRow } from '../command/types.ts';
import type { UnitType } from '../unit/names.ts';
import type { Unit } from './model.ts';
import { readArguments, readList, type Item } from './read.ts';

/** A value of a key, or of the option that says the same in PodmanArgs=; `shown` is how it stands there. */
export interface Said extends Item {
  readonly shown: string;
}

/** The values of a list key and of its option, in this order. */
export function saidBy(unit: Unit, key: string, option: string, read = readList): Said[] {
  const copy: Unit = { ...unit, problems: [] };
  const keyed = read(copy, key).map(item => ({ ...item, shown: `${key}=${item.value}` }));
  return [...keyed, ...inArguments(copy, option)];
}

const VERBS: Partial<Record<UnitType, VerbRow>> = { container: RUN, pod: POD_CREATE };

/** Nothing when the verb would refuse the words, which is told elsewhere. */
function inArguments(unit: Unit, option: string): Said[] {
  const row = VERBS[unit.name.type];
  if (row === undefined || !unit.present.has('PodmanArgs')) return [];
  const words = readArguments(unit, 'PodmanArgs');
  const argv = ['berth', ...row.name.split(' '), ...words.map(({ value }) => value)];
  const parsed = parseVerb({ ...row, least: 0, most: Infinity }, argv);
  if (parsed.isErr()) return [];
  return parsed.value.options
    .filter(({ name }) => name === option)
    .flatMap(({ value }) => {
      const word = words.find(one => one.value.endsWith(value));
      return word === undefined ? [] : [{ value, entry: word.entry, shown: `--${option} ${value}` }];
    });
}
