import { describe, problem } from '../base/problem.ts';
import type { Bytes } from '../host/host.ts';
import { placeOf } from '../unit/document.ts';
import { isServiceStem, type UnitType } from '../unit/names.ts';
import { splitArguments } from '../unit/values.ts';
import { isWritable, noSpecifiers } from '../unit/write.ts';
import { acrossOf, tellPods, type Across } from './across.ts';
import { translateBuild } from './build.ts';
import { translateContainer } from './container.ts';
import { defaultDependencies, translateDependencies } from './dependencies.ts';
import { failureText } from './failure.ts';
import { translateArtifact, translateImage } from './image.ts';
import { installLinks, type Link } from './install.ts';
import { translateKube } from './kube.ts';
import { fail, type Draft, type Setting, type Unit } from './model.ts';
import { translateNetwork } from './network.ts';
import { serviceText } from './output.ts';
import { translatePod } from './pod.ts';
import { TOLERANT } from './read.ts';
import { checkService } from './refused-service.ts';
import { checkSpecifiers } from './unknown-specifiers.ts';
import { translateVolume } from './volume.ts';

/** What becomes of one unit file. `failed`: the text is the failure unit's. */
export interface Translation {
  readonly unit: Unit;
  /** `NAME.service`; undefined when another file has the name, or none is possible. */
  readonly file: Bytes | undefined;
  readonly text: Bytes;
  readonly links: readonly Link[];
  readonly failed: boolean;
}

const TRANSLATE: Readonly<Record<UnitType, (unit: Unit, draft: Draft, setting: Setting) => void>> = {
  container: translateContainer,
  pod: translatePod,
  volume: translateVolume,
  network: translateNetwork,
  kube: translateKube,
  image: translateImage,
  build: translateBuild,
  artifact: translateArtifact,
};

/**
 * Translates units. First every unit for itself, with the names of the others at hand. Then failures travel along references: what needs a broken
 * unit is broken too, and says so. Units may be a part of those of the run when `across` tells what the others are.
 */
export function translateAll(
  units: readonly Unit[],
  setting: Setting,
  across: Across = acrossOf(units),
): Translation[] {
  const { claims, members } = across;
  for (const unit of units) {
    const owner = claims.get(unit.stem);
    if (owner !== undefined && owner !== unit.path) takenName(unit, owner);
  }
  tellPods(units, members);
  const drafts = units.map(unit => draftOf(unit, setting));
  spreadFailures(withReferred(units, setting));
  return units.map((unit, i) => finish(unit, drafts[i] ?? EMPTY, setting, claims));
}

const EMPTY: Draft = { head: [], tail: [], lines: [] };

/** The units, and those of another part that they need: translated too, since only that tells whether they fail. */
function withReferred(units: readonly Unit[], setting: Setting): readonly Unit[] {
  if (units.every(unit => unit.references.length === 0)) return units;
  const all = new Set(units);
  for (const { references } of all) {
    for (const { unit } of references) {
      if (all.has(unit)) continue;
      draftOf(unit, setting);
      all.add(unit);
    }
  }
  return [...all];
}

function draftOf(unit: Unit, setting: Setting): Draft {
  const draft: Draft = { head: [], tail: [], lines: [] };
  // What cannot be read may have been what confines the container. The peer starts it without.
  const inDropIns = setting.asPeer ? 0 : unit.dropInProblems.length;
  if (inDropIns > 0) unit.problems.push(...unit.dropInProblems.splice(0));
  const faulty = unit.document.problems.length + inDropIns > 0;
  // A draft of what could be read is made for its problems: they are told all at once.
  if (faulty && !wasRead(unit)) return draft;
  translateDependencies(unit, draft, setting);
  defaultDependencies(unit, draft, setting.user);
  if (isWritable(unit.path)) draft.tail.push(`SourcePath=${noSpecifiers(unit.path)}`);
  else fail(unit, 'unit-name', 'the path of the file has a control character', 'rename it');
  draft.tail.push('RequiresMountsFor=%t/containers');
  TRANSLATE[unit.name.type](unit, draft, setting);
  checkLength(unit, draft);
  checkSpecifiers(unit);
  checkService(unit, setting);
  if (setting.asPeer) tolerate(unit);
  if (faulty || unit.problems.length > 1) tidyProblems(unit, faulty);
  return draft;
}

/** What stops no unit of the peer's. */
function tolerate({ problems, table }: Unit): void {
  problems.forEach((p, i) => {
    const row = p.code === 'quoting' ? table.rows[table.index.get(p.key ?? '') ?? -1] : undefined;
    if (row !== undefined && TOLERANT.has(row.kind)) problems[i] = { ...p, severity: 'warning' };
  });
}

/** Whether the file itself has a section that could be read, not its drop-ins alone. */
function wasRead({ document }: Unit): boolean {
  return document.sections.some(section => section.source === document.source);
}

/** Each is said once, also where two keys read one value. What a faulty file lacks may stand in a line that could not be read. */
function tidyProblems(unit: Unit, faulty: boolean): void {
  const said = new Set<string>();
  const kept = unit.problems.filter(p => {
    const line = describe(p);
    if (said.has(line) || (faulty && p.code === 'required')) return false;
    said.add(line);
    return true;
  });
  unit.problems.splice(0, unit.problems.length, ...kept);
}

/** systemd's LONG_LINE_MAX, and the kernel's MAX_ARG_STRLEN without the NUL. */
const LONGEST_LINE = 1048576;
const LONGEST_WORD = 131071;

function checkLength(unit: Unit, draft: Draft): void {
  for (const line of draft.lines) {
    if (line.length <= LONGEST_WORD) continue;
    const key = line.slice(0, line.indexOf('='));
    const isLong = line.length > LONGEST_LINE;
    if (!isLong && !(key.startsWith('Exec') && splitArguments(line).words.some(isTooLong))) continue;
    const what = isLong
      ? `the generated ${key}= is longer than 1 MiB, which systemd does not load`
      : `a word of the generated ${key}= is longer than 128 KiB, which the kernel does not take`;
    fail(unit, 'long-line', what, 'move values to files');
  }
}

const isTooLong = (word: Bytes): boolean =>
  word.length > LONGEST_WORD && word.replace(/%%|\$\$/g, two => two.slice(1)).length > LONGEST_WORD;

/** No error, since the peer's own tests have two such files side by side and want status 0; nothing is written for the second. */
function takenName(unit: Unit, owner: Bytes): void {
  const message = `${unit.name.name} is left out: ${unit.stem}.service is already made of ${owner}`;
  const place = { file: unit.path, hint: 'rename one, or set ServiceName=' };
  unit.problems.push({ ...problem('name-taken', message, place), severity: 'warning' });
}

export function isFailed(unit: Unit): boolean {
  return unit.problems.some(p => p.severity === 'error');
}

/** First who fails, then why: what is said must not depend on the order of the units, nor on how many processes share them. */
function spreadFailures(units: readonly Unit[]): void {
  const failed = new Set(units.filter(isFailed));
  for (let before = 0; before !== failed.size;) {
    before = failed.size;
    for (const unit of units) if (unit.references.some(({ unit: other }) => failed.has(other))) failed.add(unit);
  }
  for (const unit of failed) {
    for (const { unit: other, entry } of unit.references) {
      if (!failed.has(other)) continue;
      const message = `\`${entry.key}=\` needs ${other.name.name}, which could not be translated`;
      const place = { ...placeOf(entry, other.name.name), key: entry.key, hint: `repair ${other.path}` };
      unit.problems.push(problem('failed-reference', message, place));
    }
  }
}

function finish(unit: Unit, draft: Draft, setting: Setting, claims: Across['claims']): Translation {
  const links = installLinks(unit, claims);
  const failed = isFailed(unit);
  const file = claims.get(unit.stem) === unit.path && isServiceStem(unit.stem) ? `${unit.stem}.service` : undefined;
  const text = failed ? failureText(unit, setting) : serviceText(unit, draft);
  return { unit, file, text, links, failed };
}
