import type { Bytes, Half, Host } from '../src/host/host.ts';
import { membersOf, type Across, type Member } from '../src/quadlet/across.ts';
import { loadUnit, loadUnits } from '../src/quadlet/find.ts';
import type { Graph, Unit } from '../src/quadlet/model.ts';
import { settingOf } from '../src/quadlet/setting.ts';
import { translateAll } from '../src/quadlet/translate.ts';
import { parseUnitName, serviceStem } from '../src/unit/names.ts';
import type { Found, FoundUnit } from '../src/unit/search.ts';
import type { Flags } from './flags.ts';
import type { Level, Log } from './log.ts';
import { prepare, writeAll, type Output } from './output.ts';
import { report } from './report.ts';

/**
 * Many files are translated by two processes, each its half of the units. They have one search in common and read on their own. Before they
 * translate they tell each other what one unit means to all others (`Told`); a unit of the other half that is named is read here too. The
 * second process prints nothing: what it has to say is said by the first, in the order of the units.
 */
export type Ended = { readonly said: readonly Said[]; readonly good: boolean };

type Said = readonly [level: Level, text: Bytes];

/** What a process knows of its units that the names of their files do not tell. */
interface Told {
  /** Paths, and the names of their services. */
  readonly stems: readonly (readonly [path: Bytes, stem: Bytes])[];
  readonly members: readonly Member[];
}

/** Fewer files than that are translated before a second process runs. */
const FEWEST = 24;

/** Undefined: nothing was done, or not all; then one process does it. 'second': this is the second process, which is to end. */
export function inHalves(host: Host, flags: Flags, found: Found): Ended | 'second' | undefined {
  const names = found.units.filter(one => !one.masked);
  const [directory] = flags.operands;
  if (names.length < FEWEST || directory === undefined || prepare(host, directory, SILENT) !== true) return undefined;
  const half = host.split();
  if (half === undefined) return undefined;
  const all: All = { names, found, flags, directory };
  if (half.second) {
    second(host, half, all);
    return 'second';
  }
  try {
    return first(host, half, all);
  } finally {
    host.close(half.fd);
    host.wait(half);
  }
}

/** What is wrong with the directory says who tries it next. */
const SILENT: Log = { say: () => undefined };

interface All {
  readonly names: readonly FoundUnit[];
  readonly found: Found;
  readonly flags: Flags;
  readonly directory: Bytes;
}

function first(host: Host, half: Half, all: All): Ended | undefined {
  const { names, found, flags } = all;
  const units = loadUnits(host, { ...found, units: names.slice(0, names.length >> 1) }, !flags.failureUnits);
  const told = tellOf(units);
  const other = hear<Told>(host, half);
  if (other === undefined) return undefined;
  tell(host, half, told);
  const own = work(host, units, together(names, told, other), all, 'first');
  const theirs = hear<Work>(host, half);
  if (theirs === undefined) return undefined;
  return {
    said: [...own.problems, ...theirs.problems, ...own.failures, ...theirs.failures],
    good: own.good && theirs.good,
  };
}

function second(host: Host, half: Half, all: All): void {
  const { names, found, flags } = all;
  const units = loadUnits(host, { ...found, units: names.slice(names.length >> 1) }, !flags.failureUnits);
  const told = tellOf(units);
  tell(host, half, told);
  const other = hear<Told>(host, half);
  if (other === undefined) return;
  tell(host, half, work(host, units, together(names, other, told), all, 'second'));
}

interface Work {
  readonly problems: readonly Said[];
  readonly failures: readonly Said[];
  readonly good: boolean;
}

function work(host: Host, units: readonly Unit[], across: Across, all: All, part: 'first' | 'second'): Work {
  const { flags, directory } = all;
  const translations = translateAll(
    units,
    settingOf(host, flags.user, graphOfAll(host, units, all), !flags.failureUnits),
    across,
  );
  const problems: Said[] = [];
  const failures: Said[] = [];
  const into = (list: Said[]): Log => ({ say: (level, text) => void (level !== 'debug' && list.push([level, text])) });
  const good = report(translations, into(problems));
  const output: Output = { directory, fresh: true, failureUnits: flags.failureUnits, part };
  return { problems, failures, good: writeAll(host, output, translations, into(failures)) && good };
}

/** Own units, and those of the other half when they are asked for. */
function graphOfAll(host: Host, units: readonly Unit[], { names, found, flags }: All): Graph {
  const known = new Map(units.map(unit => [unit.name.name, unit]));
  let others: Map<Bytes, FoundUnit> | undefined;
  return {
    get(name: Bytes): Unit | undefined {
      const unit = known.get(name);
      if (unit !== undefined) return unit;
      others ??= new Map(names.map(one => [one.name, one]));
      const other = others.get(name);
      if (other === undefined) return undefined;
      const loaded = loadUnit(host, other, found.dropIns, !flags.failureUnits);
      known.set(name, loaded);
      return loaded;
    },
  };
}

function tellOf(units: readonly Unit[]): Told {
  const stems: [Bytes, Bytes][] = [];
  for (const { name, path, stem } of units) if (stem !== serviceStem(name)) stems.push([path, stem]);
  return { stems, members: membersOf(units) };
}

function together(names: readonly FoundUnit[], one: Told, two: Told): Across {
  const stems = new Map([...one.stems, ...two.stems]);
  const claims = new Map<Bytes, Bytes>();
  for (const { name, type, path } of names) {
    const stem = stems.get(path) ?? serviceStem(parseUnitName(name, type));
    if (!claims.has(stem)) claims.set(stem, path);
  }
  return { claims, members: [...one.members, ...two.members] };
}

/** Values as JSON, ended by a NUL, which JSON has none of. */
function tell(host: Host, half: Half, value: Told | Work): void {
  host.send(half.fd, `${JSON.stringify(value)}\0`);
}

const PIECE = 65536;

/** Undefined when the other process has ended. */
function hear<T>(host: Host, half: Half): T | undefined {
  let text = '';
  while (!text.endsWith('\0')) {
    const { data } = host.receive(half.fd, PIECE, -1);
    if (data === '') return undefined;
    text += data;
  }
  return JSON.parse(text.slice(0, -1)) as T;
}
