import { problem, type Problem } from '../base/problem.ts';
import { ARTIFACT_PULL, BUILD, IMAGE_PULL } from '../command/options-image.ts';
import { NETWORK_CREATE } from '../command/options-network.ts';
import { POD_CREATE, POD_VERBS } from '../command/options-pod.ts';
import { RUN } from '../command/options-run.ts';
import { VOLUME_CREATE } from '../command/options-storage.ts';
import { KUBE_PLAY } from '../command/options-units.ts';
import { globalsEnd, parseVerb } from '../command/parse.ts';
import type { Command, VerbRow } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import type { Reader } from '../plan/draft.ts';
import { translateBuild } from '../quadlet/build.ts';
import { translateContainer } from '../quadlet/container.ts';
import { translateArtifact, translateImage } from '../quadlet/image.ts';
import { translateKube } from '../quadlet/kube.ts';
import type { Draft, Setting, Unit } from '../quadlet/model.ts';
import { translateNetwork } from '../quadlet/network.ts';
import { translatePod } from '../quadlet/pod.ts';
import { readArguments } from '../quadlet/read.ts';
import { translateVolume } from '../quadlet/volume.ts';
import type { UnitType } from '../unit/names.ts';
import { splitArguments } from '../unit/values.ts';
import { judgeBuild, judgeFetch } from './check-fetch.ts';
import { isExpanded, type Judge } from './check-judge.ts';
import { placed } from './check-place.ts';
import { judgeNetwork, judgeVolume } from './check-resources.ts';
import { judgePod, judgeRun, judgeShared } from './check-run.ts';
import { LATER_VERBS } from './table.ts';

/**
 * What a start would refuse in the command lines of a unit, told before: the generator looks at forms alone, since every boot waits for it. Values
 * that systemd still has to expand are not judged, nor what is read from the host.
 */
export function startProblems(units: readonly Unit[], setting: Setting, reader: Reader): Problem[] {
  return units.flatMap(unit => refusals(unit, setting, reader));
}

type Translate = (unit: Unit, draft: Draft, setting: Setting) => void;

/** A command of a unit: the last line of this kind. `judge` says more than the verb's table of options does. */
interface Start {
  readonly line: string;
  readonly row: VerbRow;
  readonly judge?: Judge;
}

const POD_STOP = POD_VERBS.filter(row => row.name === 'pod stop').map(row => ({ line: 'ExecStop=', row }));
const fetch = (row: VerbRow): Start => ({ line: 'ExecStart=', row, judge: judgeFetch });

const STARTS: Readonly<Record<UnitType, readonly [Translate, readonly Start[]]>> = {
  container: [translateContainer, [{ line: 'ExecStart=', row: RUN, judge: judgeRun }]],
  pod: [translatePod, [{ line: 'ExecStartPre=', row: POD_CREATE, judge: judgePod }, ...POD_STOP]],
  volume: [translateVolume, [{ line: 'ExecStart=', row: VOLUME_CREATE, judge: judgeVolume }]],
  network: [translateNetwork, [{ line: 'ExecStart=', row: NETWORK_CREATE, judge: judgeNetwork }]],
  image: [translateImage, [fetch(IMAGE_PULL)]],
  artifact: [translateArtifact, [fetch(ARTIFACT_PULL)]],
  build: [translateBuild, [{ line: 'ExecStart=', row: BUILD, judge: judgeBuild }]],
  kube: [translateKube, [{ line: 'ExecStart=', row: KUBE_PLAY, judge: judgeShared }]],
};

function refusals(unit: Unit, setting: Setting, reader: Reader): Problem[] {
  const [, starts] = STARTS[unit.name.type];
  // Also of a unit that cannot be translated: what is left of it.
  const lines = linesOf(unit, setting);
  const plain = new Map(unit.present);
  let differs = [plain.delete('PodmanArgs'), plain.delete('GlobalArgs')].includes(true);
  for (const { line, row } of starts) {
    const parsed = parseVerb(row, wordsOf(lines, line));
    for (const { key = '' } of parsed.isErr() ? parsed.error : [])
      for (const name of keysOf(unit, key.slice(2))) if (plain.delete(name)) differs = true;
  }
  const before = differs ? linesOf({ ...unit, present: plain }, setting) : lines;
  const word = strayGlobal(unit);
  const problems = starts.flatMap(start => refused(start, [word === undefined ? lines : before, before], unit, reader));
  if (word !== undefined)
    problems.push(problem('stray-word', `${word} is no global option, but would be taken for the verb`, STRAY_GLOBAL));
  return once(problems.filter(p => !isExpanded(p.message)).flatMap(p => placed(unit, p)));
}

/** The keys that become an option. */
function keysOf({ table }: Unit, option: string): string[] {
  const keys = table.rows.filter(row => row.option === option && option !== '').map(row => row.key);
  return option === 'time' ? [...keys, 'StopTimeout'] : keys;
}

function linesOf(unit: Unit, setting: Setting): readonly Bytes[] {
  const [translate] = STARTS[unit.name.type];
  const draft: Draft = { head: [], tail: [], lines: [] };
  translate({ ...unit, problems: [], references: [] }, draft, setting);
  return draft.lines;
}

function once(problems: readonly Problem[]): Problem[] {
  return problems.filter((p, i) => !problems.slice(0, i).some(q => q.message === p.message && q.line === p.line));
}

/** `before`: the lines without PodmanArgs=, GlobalArgs= and options that are none. What is wrong with those hides nothing of the rest. */
function refused(
  { line, row, judge }: Start,
  [lines, before]: readonly [readonly Bytes[], readonly Bytes[]],
  unit: Unit,
  reader: Reader,
): Problem[] {
  // How many operands there are is the generator's doing, if not that of stray words, or of a missing key, which is told as such.
  const open: VerbRow = { ...row, least: 0, most: Infinity };
  const parsed = parseVerb(open, wordsOf(lines, line));
  const plain = lines === before ? parsed : parseVerb(open, wordsOf(before, line));
  const judged = (command: Command): Problem[] => {
    const known = command.options.filter(use => !isExpanded(use.value));
    return [...modules(command), ...(judge?.({ command, known, unit, reader }) ?? [])];
  };
  const others = plain.isErr() ? [] : judged(plain.value);
  // Of a verb that this version lacks, the table has what the generator writes, and no more.
  if (parsed.isErr()) return [...(LATER_VERBS.includes(row) ? [] : parsed.error), ...others];
  const stray = strayWord(parsed.value, plain);
  if (stray === undefined) return judged(parsed.value);
  const message = `${stray} is no option, but ${row.name} would take it as its first operand`;
  return [problem('stray-word', message, STRAY), ...others];
}

const STRAY = { key: '--PodmanArgs', hint: 'write options alone into PodmanArgs=' };

const STRAY_GLOBAL = { key: '--GlobalArgs', hint: 'write options alone into GlobalArgs=' };

/** A word of GlobalArgs= in front of which the global options end. */
function strayGlobal(unit: Unit): Bytes | undefined {
  if (!unit.present.has('GlobalArgs')) return undefined;
  const words = readArguments({ ...unit, problems: [] }, 'GlobalArgs').map(item => item.value);
  return words[globalsEnd(words)];
}

/** A word of PodmanArgs= that is taken for the image, the context or the name. */
function strayWord({ operands }: Command, before: ReturnType<typeof parseVerb>): Bytes | undefined {
  if (before.isErr()) return undefined;
  const first = operands[0];
  return first !== undefined && operands.length > before.value.operands.length ? first : undefined;
}

/** As each verb of a unit says it itself (command-line.ts). */
function modules({ globals }: Command): Problem[] {
  const named = globals.filter(({ name }) => name === 'module');
  return named.map(({ value }) => problem('refused', `--module ${value} ${NOT_READ}`, MODULE));
}

const MODULE = { key: '--module', hint: 'write what the module sets as keys of the unit' } as const;
const NOT_READ = 'is not supported: containers.conf is not read';

function wordsOf(lines: readonly Bytes[], start: string): Bytes[] {
  const line = lines.findLast(one => one.startsWith(start)) ?? '';
  return splitArguments(line.slice(start.length)).words.map(word => (isExpanded(word) ? word : unescaped(word)));
}

const unescaped = (word: Bytes): Bytes => word.replace(/%%|\$\$/g, two => two.slice(1));
