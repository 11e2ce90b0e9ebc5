import { encodeText } from '../base/text.ts';
import { nearest } from '../base/suggest.ts';
import { CHECK } from '../command/options-admin.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import { HostError, type Bytes, type Host, type Stat } from '../host/host.ts';
import { crossCheck, peerProblem } from '../quadlet/cross-check.ts';
import { loadUnits } from '../quadlet/find.ts';
import { ignoredLines } from '../quadlet/ignored-lines.ts';
import { graphOf, type Unit } from '../quadlet/model.ts';
import { laterKeys, podmanVersion } from '../quadlet/podman-version.ts';
import { settingOf } from '../quadlet/setting.ts';
import { translateAll } from '../quadlet/translate.ts';
import { typeOf } from '../unit/names.ts';
import { search, searchDirectories, type Found, type FoundUnit } from '../unit/search.ts';
import type { Problem } from '../base/problem.ts';
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
  const user = isSet(command, 'user');
  const found = findUnits(host, command, user);
  if (typeof found === 'number') return found;
  const standard = command.operands.length === 0;
  const problems = [...found.problems, ...problemsOf(host, found, { user, standard, version })];
  host.write(1, encodeText(report(sorted(problems), linesOf(host))));
  return problems.some(p => p.severity === 'error') ? 1 : 0;
}

const REPORTS: Readonly<Record<string, typeof reportText>> = { text: reportText, json: reportJson, sarif: reportSarif };

/** The named files and directories, or what the generator would read. */
export function findUnits(host: Host, { operands }: Command, user: boolean): Found | number {
  if (operands.length === 0) {
    const { directories, problems } = searchDirectories(host, user || host.uid !== 0);
    const found = search(host, directories, user || host.uid !== 0);
    found.problems.push(...problems);
    return found;
  }
  const all: Found = { units: [], hidden: [], dropIns: new Map(), problems: [] };
  for (const operand of operands) {
    const path = operand.startsWith('/') ? operand : `${host.cwd()}/${operand}`;
    const stat = statOf(host, path);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const type = typeOf(name);
    if (typeof stat === 'string') {
      host.write(2, `berth: ${stat}\n`);
      return 2;
    }
    if (stat === undefined || (stat.kind !== 'directory' && type === undefined)) {
      const reason = stat === undefined ? 'no such file or directory' : 'no unit file: its name ends in no unit type';
      host.write(2, `berth: ${operand}: ${reason}\n`);
      return 2;
    }
    if (stat.kind === 'directory') {
      const found = search(host, [path], true);
      all.units.push(...found.units);
      all.problems.push(...found.problems);
      found.dropIns.forEach((paths, key) => all.dropIns.set(key, [...(all.dropIns.get(key) ?? []), ...paths]));
    } else if (type !== undefined) {
      const broken = stat.kind === 'file' ? {} : { broken: 'it is not a regular file' };
      addFile(host, all, { name, type, path, directory: path.slice(0, path.lastIndexOf('/')) || '/', ...broken });
    }
  }
  return all;
}

function statOf(host: Host, path: Bytes): Stat | string | undefined {
  try {
    return host.stat(path);
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
}

/** A single file is checked with its drop-ins; the files beside it are what it may refer to. */
function addFile(host: Host, all: Found, file: Omit<FoundUnit, 'masked'>): void {
  all.units.push({ ...file, masked: false });
  const beside = search(host, [file.directory], true);
  for (const unit of beside.units) if (unit.name !== file.name) all.hidden.push(unit);
  beside.dropIns.forEach((paths, key) => all.dropIns.set(key, paths));
}

interface Asked {
  readonly user: boolean;
  /** The standard directories, not files that were named. */
  readonly standard: boolean;
  /** Podman's, which the files must serve too; Infinity: none. */
  readonly version: number;
}

function problemsOf(host: Host, found: Found, { user, standard, version }: Asked): Problem[] {
  const asked = new Set(found.units.map(unit => unit.path));
  const neighbours = found.hidden.filter(unit => !found.units.some(one => one.name === unit.name));
  const units = loadUnits(host, { ...found, units: [...found.units, ...neighbours] });
  const setting = settingOf(host, user, graphOf(units));
  translateAll(units, setting);
  const shown = units.filter(unit => asked.has(unit.path));
  const paths = new Set(shown.flatMap(unit => [unit.path, ...unit.document.sections.map(s => s.source.path)]));
  const across = crossCheck(units, setting).filter(p => p.file === undefined || paths.has(p.file));
  const starts = startProblems(shown, setting, readerOf(host));
  const { directories } = searchDirectories(host, user || host.uid !== 0);
  const isOurs = (unit: Unit): boolean => directories.some(directory => unit.path.startsWith(`${directory}/`));
  const peer = standard ? peerProblem(host, user || host.uid !== 0) : [];
  return [
    ...shown.flatMap(ownProblems),
    ...ignoredLines(shown),
    ...laterKeys(shown, version),
    ...starts,
    ...valueProblems(shown),
    ...hostProblems(host, shown, isOurs),
    ...across,
    ...peer,
  ];
}

/** A name that is taken is a warning for the generator alone, whose other units and status must not suffer. */
function ownProblems(unit: Unit): Problem[] {
  const told = [...unit.problems, ...unit.dropInProblems].map(p => withHint(unit, p));
  return told.map(p => (p.code === 'name-taken' ? { ...p, severity: 'error' } : p));
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
