import { encodeText } from '../base/text.ts';
import { nearest } from '../base/suggest.ts';
import { CHECK } from '../command/options-admin.ts';
import { lastValue } from '../command/read.ts';
import type { Bytes, Host } from '../host/host.ts';
import { acrossOf } from '../quadlet/across.ts';
import { crossCheck, peerProblem } from '../quadlet/cross-check.ts';
import { loadUnits } from '../quadlet/find.ts';
import { ignoredLines } from '../quadlet/ignored-lines.ts';
import { graphOf, type Unit } from '../quadlet/model.ts';
import { laterKeys, podmanVersion } from '../quadlet/podman-version.ts';
import { settingOf } from '../quadlet/setting.ts';
import { translateAll } from '../quadlet/translate.ts';
import type { Problem } from '../base/problem.ts';
import { findGroups, type Group } from './check-find.ts';
import { withHint } from './check-hints.ts';
import { hostProblems } from './check-host.ts';
import { startProblems } from './check-start.ts';
import { valueProblems } from './check-values.ts';
import { reportJson, reportSarif, reportText } from './check-report.ts';
import { commandLine } from './command-line.ts';
import { explainKey, allKeys } from './help-keys.ts';
import { readerOf } from './reader.ts';

/** `berth check`: what the generator would say, and more, without root and without systemd. Exit status 1 when there is an error. */
export function main(host: Host): number {
  const command = commandLine(host, CHECK, 2);
  if (typeof command === 'number') return command;
  const key = lastValue(command, 'explain');
  if (key !== undefined) return explain(host, key);
  const format = lastValue(command, 'format') ?? 'text';
  const report = REPORTS[format];
  if (report === undefined) {
    host.write(2, `berth: check: --format is ${format}: write text, json or sarif\n`);
    return 2;
  }
  const podman = lastValue(command, 'podman');
  const version = podman === undefined ? Infinity : podmanVersion(podman);
  if (version === undefined) {
    host.write(2, `berth: check: --podman is ${podman ?? ''}: write a version such as 5.4\n`);
    return 2;
  }
  const groups = findGroups(host, command);
  if (typeof groups === 'string') {
    host.write(2, `berth: ${groups}\n`);
    return 2;
  }
  const problems = groups.flatMap(group => [...group.problems, ...problemsOf(host, group, version)]);
  const [only] = groups;
  if (command.operands.length === 0 && only !== undefined) problems.push(...peerProblem(host, only.user));
  const told = foremost(once(problems));
  host.write(1, encodeText(report(sorted(told), linesOf(host))));
  return told.some(p => p.severity === 'error') ? 1 : 0;
}

const REPORTS: Readonly<Record<string, typeof reportText>> = { text: reportText, json: reportJson, sarif: reportSarif };

function problemsOf(host: Host, { found, asked, user, standard }: Group, version: number): Problem[] {
  if (asked.size === 0) return [];
  const units = loadUnits(host, found);
  const setting = settingOf(host, user, graphOf(units));
  translateAll(units, setting);
  const shown = units.filter(unit => asked.has(unit.path));
  return [
    ...shown.flatMap(ownProblems),
    ...leftOut(units, asked),
    ...ignoredLines(shown),
    ...laterKeys(shown, version),
    ...startProblems(shown, setting, readerOf(host)),
    ...valueProblems(shown),
    ...hostProblems(host, shown, () => standard),
    ...crossCheck(units, setting, shown),
  ];
}

/** Others for which nothing is generated, since one that is asked for has the name. */
function leftOut(units: readonly Unit[], asked: ReadonlySet<Bytes>): Problem[] {
  const { claims } = acrossOf(units);
  return units.flatMap(({ path, stem, problems }) => {
    const owner = claims.get(stem);
    if (asked.has(path) || owner === undefined || !asked.has(owner)) return [];
    return problems.filter(p => p.code === 'name-taken').map(p => ({ ...p, severity: 'error' as const, file: owner }));
  });
}

/** A name that is taken, or that the start refuses, is a warning for the generator alone, whose other units and status must not suffer. */
function ownProblems(unit: Unit): Problem[] {
  const told = [...unit.problems, ...unit.dropInProblems].map(p => withHint(unit, p));
  return told.map(p => (p.code === 'name-taken' || p.code === 'value' ? { ...p, severity: 'error' } : p));
}

/** Files of two directories may share a drop-in. */
function once(problems: readonly Problem[]): Problem[] {
  const known = new Map(
    problems.map(p => [JSON.stringify([p.file, p.line, p.column, p.code, p.severity, p.message]), p]),
  );
  return [...known.values()];
}

/** What is an error needs no warning of the same value: it is written anew anyway. */
function foremost(problems: readonly Problem[]): Problem[] {
  const at = (p: Problem): string => JSON.stringify([p.file, p.line, p.column, p.key]);
  const errors = new Set(problems.filter(p => p.severity === 'error' && p.column !== undefined).map(at));
  return problems.filter(p => p.severity === 'error' || !errors.has(at(p)));
}

function sorted(problems: readonly Problem[]): Problem[] {
  const place = (p: Problem): string =>
    `${p.file ?? ''}\0${String(p.line ?? 0).padStart(9, '0')}\0${String(p.column ?? 0).padStart(9, '0')}`;
  return [...problems].sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0));
}

/** Lines of the files that problems name, each file read once. */
function linesOf(host: Host): (file: Bytes) => readonly Bytes[] {
  const known = new Map<Bytes, readonly Bytes[]>();
  return file => {
    let lines = known.get(file);
    if (lines === undefined) {
      lines = host.stat(file)?.kind === 'file' ? (host.readFileIfExists(file) ?? '').split('\n') : [];
      known.set(file, lines);
    }
    return lines;
  };
}

function explain(host: Host, key: Bytes): number {
  const text = explainKey(key);
  if (text !== '') {
    host.write(1, text);
    return 0;
  }
  const near = nearest(key, allKeys());
  host.write(2, `berth: no key is called ${key}${near === undefined ? '' : `; did you mean ${near}?`}\n`);
  return 1;
}
