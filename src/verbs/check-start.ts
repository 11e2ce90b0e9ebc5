import type { Problem } from '../base/problem.ts';
import { RUN } from '../command/options-run.ts';
import { parseVerb } from '../command/parse.ts';
import type { Command, OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import { capabilityName } from '../plan/capabilities.ts';
import { bad, newDraft, type Reader } from '../plan/draft.ts';
import { applyOption } from '../plan/parse-options.ts';
import { parseRunRequest } from '../plan/request-parse.ts';
import { translateContainer } from '../quadlet/container.ts';
import type { Draft, Setting, Unit } from '../quadlet/model.ts';
import { placeOf, type Entry } from '../unit/document.ts';
import { splitArguments } from '../unit/values.ts';

/**
 * What the start of a container would refuse in its command line, told before: the generator looks at forms alone, since every boot waits for it. Values
 * that systemd still has to expand are not judged, nor what is read from the host.
 */
export function startProblems(units: readonly Unit[], setting: Setting, reader: Reader): Problem[] {
  return units.flatMap(unit => (unit.name.type === 'container' ? refusals(unit, setting, reader) : []));
}

function refusals(unit: Unit, setting: Setting, reader: Reader): Problem[] {
  const parsed = parseVerb(RUN, startWords(unit, setting));
  const problems = parsed.isErr() ? parsed.error : refused(parsed.value, reader);
  return problems.filter(p => !isExpanded(p.message)).flatMap(p => placed(unit, p));
}

/** The words of ExecStart=, also of a unit that cannot be translated: what is left of it. */
function startWords(unit: Unit, setting: Setting): Bytes[] {
  const draft: Draft = { head: [], tail: [], lines: [] };
  translateContainer({ ...unit, problems: [], references: [] }, draft, setting);
  const line = draft.lines.find(one => one.startsWith('ExecStart=')) ?? '';
  return splitArguments(line.slice('ExecStart='.length)).words.map(word => (isExpanded(word) ? word : unescaped(word)));
}

/** systemd.service(5), COMMAND LINES: specifiers and variables. */
const isExpanded = (word: Bytes): boolean => /[%$]/.test(word.replace(/%%|\$\$/g, ''));
const unescaped = (word: Bytes): Bytes => word.replace(/%%|\$\$/g, two => two.slice(1));

/** A file of variables may come with the host that the unit is for. */
const OF_THE_HOST: ReadonlySet<string> = new Set(['env-file']);

function refused(command: Command, reader: Reader): Problem[] {
  const known = command.options.filter(use => !isExpanded(use.value) && !OF_THE_HOST.has(use.name));
  const found = known.flatMap(use => ofUse(use, reader));
  // What options say together is known when all of them are; the name is the generator's unless it is given.
  const isWhole = command.options.every(use => known.includes(use) || use.name === 'name' || OF_THE_HOST.has(use.name));
  if (!isWhole) return found;
  const all = parseRunRequest({ ...command, options: known, operands: ['image'] }, reader, 'name');
  const together = all.isErr() ? all.error.filter(p => p.code !== 'operand-value') : [];
  return [...found, ...together.filter(p => !found.some(one => one.message === p.message))];
}

function ofUse({ name, value }: OptionUse, reader: Reader): Problem[] {
  const draft = newDraft(reader, 'name');
  applyOption(draft, name, value);
  // The start looks these up when it knows the container's user.
  for (const word of [...draft.request.capAdd, ...draft.request.capDrop])
    if (capabilityName(word) === undefined) bad(draft, name, value, `there is no capability ${word}`);
  return draft.problems;
}

/** At the key that became the option; nothing where that key has an error already. */
function placed(unit: Unit, { code, message, key = '', hint }: Problem): Problem[] {
  const entry = entryOf(unit, key.replace(/^--/, ''), message);
  if (entry !== undefined) {
    const { line } = placeOf(entry);
    if (unit.problems.some(p => p.severity === 'error' && p.key === entry.key && p.line === line)) return [];
  }
  const place = entry === undefined ? { file: unit.path } : { ...placeOf(entry), key: entry.key };
  const text = `the start would refuse this: ${message}`;
  return [{ severity: 'error', code, message: text, ...place, ...(hint === undefined ? {} : { hint }) }];
}

/** The assignment whose value the message names, otherwise the last one. */
function entryOf(unit: Unit, option: string, message: string): Entry | undefined {
  const keys = unit.table.rows.filter(row => row.option === option && option !== '').map(row => row.key);
  const entries = keys.flatMap(key => unit.present.get(key) ?? []);
  const told =
    entries.find(({ value }) => value !== '' && message.toLowerCase().includes(value.toLowerCase())) ?? entries.at(-1);
  return told ?? unit.present.get('PodmanArgs')?.find(({ value }) => value.includes(option));
}
