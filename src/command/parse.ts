import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import { nearest } from '../base/suggest.ts';
import type { Bytes } from '../host/host.ts';
import { GLOBAL_OPTIONS } from './globals.ts';
import type { Command, OptionRow, OptionUse, VerbRow } from './types.ts';

/**
 * Reads `PROGRAM [GLOBALS] VERB [OPTIONS] [OPERANDS]` by the verb's row: podman's conventions, i.e. `--name value`, `--name=value`, clusters of
 * short flags, `-nvalue`, `--` before operands. Long global options are also taken behind the verb. All problems are reported. With `--help` the
 * command holds that option and nothing is checked.
 */
export function parseVerb(row: VerbRow, argv: readonly Bytes[]): Result<Command, Problem[]> {
  const scan: Scan = { argv, at: 1, problems: [], verb: row.name };
  const globals: OptionUse[] = [];
  options(scan, { names: GLOBALS, uses: globals }, true);
  if (scan.problems.length > 0) return err(scan.problems);
  for (const word of row.name.split(' ')) {
    if (argv[scan.at] !== word) {
      return err([problem('usage', `expected the word \`${word}\` of the verb \`${row.name}\``)]);
    }
    scan.at++;
  }
  const operands: Bytes[] = [];
  const uses: OptionUse[] = [];
  const behind = row.name.startsWith('oci ') ? undefined : { names: LONG_GLOBALS, uses: globals };
  options(
    scan,
    { names: known.get(row) ?? index(row.options), uses, ...(behind && { behind }) },
    row.stopAtOperand,
    operands,
  );
  const command: Command = { globals, verb: row.name, options: uses, operands };
  if (asksHelp(command)) return ok(command);
  // After a wrong option it is not known which words are operands.
  if (scan.problems.length === 0) countOperands(row, command, scan.problems);
  return scan.problems.length > 0 ? err(scan.problems) : ok(command);
}

/** What is wrong with the options before the verb of a line that has no verb. */
export function checkGlobals(argv: readonly Bytes[]): Problem[] {
  const scan: Scan = { argv, at: 1, problems: [], verb: '' };
  options(scan, { names: GLOBALS, uses: [] }, true);
  return scan.problems;
}

/** How many of these words are global options and their values; a `--` ends them. */
export function globalsEnd(words: readonly Bytes[]): number {
  const scan: Scan = { argv: words, at: 0, problems: [], verb: '' };
  options(scan, { names: GLOBALS, uses: [] }, true);
  return words[scan.at - 1] === '--' ? scan.at - 1 : scan.at;
}

/** True when `--help` was given: print `helpOf(row)` and end with status 0. */
export function asksHelp(command: Command): boolean {
  return [...command.globals, ...command.options].some(use => use.name === 'help' && use.value === 'true');
}

interface Scan {
  readonly argv: readonly Bytes[];
  at: number;
  readonly problems: Problem[];
  readonly verb: string;
}

interface Table {
  readonly names: Map<string, OptionRow>;
  readonly uses: OptionUse[];
  /** Where a long option is looked for that is not in `names`. */
  readonly behind?: Table;
}

/** Reads options up to the first operand, or through the operands to the end when these are collected. */
function options(scan: Scan, table: Table, stop: boolean, operands?: Bytes[]): void {
  for (let word = scan.argv[scan.at]; word !== undefined; word = scan.argv[scan.at]) {
    if (word === '--') {
      scan.at++;
      break;
    }
    if (word.length < 2 || word.charCodeAt(0) !== 45) {
      if (stop || operands === undefined) break;
      operands.push(word);
      scan.at++;
    } else {
      scan.at++;
      if (word.charCodeAt(1) === 45) longOption(scan, table, word);
      else shortOptions(scan, table, word);
    }
  }
  if (operands !== undefined) for (; scan.at < scan.argv.length; scan.at++) operands.push(scan.argv[scan.at] ?? '');
}

const HELP: OptionRow = { name: 'help', kind: 'flag', help: 'print help' };

/** Names of the options of rows that were prepared. */
const known = new Map<VerbRow, Map<string, OptionRow>>();

/** For programs whose memory is made when Berth is built (native/engine-image.h): their names of options need not be collected at each start. */
export function prepareVerb(row: VerbRow): void {
  known.set(row, index(row.options));
}

function index(rows: readonly OptionRow[]): Map<string, OptionRow> {
  const names = new Map<string, OptionRow>();
  names.set('--help', HELP).set('-h', HELP);
  for (const row of rows) {
    names.set(`--${row.name}`, row);
    if (row.short !== undefined) names.set(`-${row.short}`, row);
    for (const alias of row.aliases ?? []) names.set(`--${alias}`, row);
  }
  return names;
}

const GLOBALS = index(GLOBAL_OPTIONS);

/** `podman run --runtime crun IMAGE` is right, too; `-v` and `-h` behind the verb are the verb's. */
const LONG_GLOBALS = new Map(
  GLOBAL_OPTIONS.filter(row => row.name !== 'version').map(row => [`--${row.name}`, row] as const),
);

function longOption(scan: Scan, table: Table, word: Bytes): void {
  const equal = word.indexOf('=');
  const name = equal < 0 ? word : word.slice(0, equal);
  const { names, uses, behind } = table;
  const row = names.get(name);
  if (row === undefined && behind?.names.has(name)) return longOption(scan, behind, word);
  if (row === undefined) return unknown(scan, names, name);
  if (row.kind === 'flag') return addFlag(scan, row, name, equal < 0 ? undefined : word.slice(equal + 1), uses);
  if (equal >= 0) return add(scan, row, name, { name: row.name, value: word.slice(equal + 1), form: 'joined' }, uses);
  if (row.alone !== undefined) return add(scan, row, name, { name: row.name, value: row.alone, form: 'joined' }, uses);
  const value = scan.argv[scan.at];
  if (value === undefined) return missing(scan, name, row);
  scan.at++;
  add(scan, row, name, { name: row.name, value }, uses);
}

function shortOptions(scan: Scan, { names, uses }: Table, word: Bytes): void {
  for (let i = 1; i < word.length; i++) {
    const name = `-${word[i] ?? ''}`;
    const row = names.get(name);
    if (row === undefined) return unknown(scan, names, name);
    const rest = word.slice(i + 1);
    if (row.kind === 'flag') {
      if (!rest.startsWith('=')) {
        addFlag(scan, row, name, undefined, uses);
        continue;
      }
      return addFlag(scan, row, name, rest.slice(1), uses);
    }
    const value = rest === '' ? scan.argv[scan.at] : rest.startsWith('=') ? rest.slice(1) : rest;
    if (value === undefined) return missing(scan, name, row);
    if (rest === '') scan.at++;
    return add(scan, row, name, { name: row.name, value, letter: name.slice(1) }, uses);
  }
}

/** `value` is undefined when the flag stands alone. */
function addFlag(scan: Scan, row: OptionRow, name: string, value: Bytes | undefined, uses: OptionUse[]): void {
  if (value === undefined) {
    const letter = name.startsWith('--') ? {} : { letter: name.slice(1) };
    return add(scan, row, name, { name: row.name, value: 'true', form: 'flag', ...letter }, uses);
  }
  const truth = TRUTH.get(value.toLowerCase());
  if (truth !== undefined) return add(scan, row, name, { name: row.name, value: truth, form: 'joined' }, uses);
  const hint = 'write true or false, or the option alone';
  scan.problems.push(problem('bad-value', `${name} is \`${value}\``, { key: name, hint }));
}

/** What the peer's command line takes as a boolean. */
const TRUTH = new Map([
  ['true', 'true'],
  ['t', 'true'],
  ['1', 'true'],
  ['false', 'false'],
  ['f', 'false'],
  ['0', 'false'],
]);

function add(scan: Scan, row: OptionRow, name: string, use: OptionUse, uses: OptionUse[]): void {
  if (row.refused !== undefined && !(row.kind === 'flag' && use.value === 'false')) {
    scan.problems.push(problem('refused', `${name} is not supported`, { key: name, hint: row.refused }));
    return;
  }
  if (row.kind === 'integer' && !isInteger(use.value)) {
    scan.problems.push(
      problem('bad-value', `${name} is \`${use.value}\``, { key: name, hint: 'write a whole decimal number' }),
    );
    return;
  }
  if (row.choices !== undefined && !row.choices.includes(use.value)) {
    const hint = `use ${row.choices.join(', ')}`;
    scan.problems.push(problem('bad-value', `${name} is \`${use.value}\``, { key: name, hint }));
    return;
  }
  uses.push(use);
}

function isInteger(value: Bytes): boolean {
  let i = value.charCodeAt(0) === 45 ? 1 : 0;
  if (i === value.length || value.length > 20) return false;
  for (; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c < 48 || c > 57) return false;
  }
  return true;
}

function unknown(scan: Scan, names: Map<string, OptionRow>, name: string): void {
  const near = name.startsWith('--') ? nearest(name, names.keys()) : undefined;
  const hint = near === undefined ? `see \`${`berth help ${scan.verb}`.trimEnd()}\`` : `did you mean ${near}?`;
  scan.problems.push(problem('unknown-option', `unknown option ${name}`, { key: name, hint }));
}

function missing(scan: Scan, name: string, row: OptionRow): void {
  const hint = `write ${name} ${row.value ?? 'VALUE'}`;
  scan.problems.push(problem('missing-value', `${name} has no value`, { key: name, hint }));
}

/** With --latest one operand less (verbs/latest.ts). */
function countOperands(row: VerbRow, { options: uses, operands }: Command, problems: Problem[]): void {
  const latest = row.operands !== '' && uses.findLast(use => use.name === 'latest')?.value === 'true';
  const count = operands.length;
  const usage = { hint: `usage: berth ${row.name} [options] ${row.operands}`.trimEnd() };
  if (count + (latest ? 1 : 0) < row.least)
    problems.push(problem('usage', `\`${row.name}\` needs more operands`, usage));
  if (row.most !== undefined && count > row.most) {
    problems.push(problem('usage', `\`${row.name}\` takes fewer operands`, usage));
  }
}
