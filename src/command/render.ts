import type { Bytes } from '../host/host.ts';
import { GLOBAL_OPTIONS } from './globals.ts';
import type { Command, OptionRow, OptionUse, VerbRow } from './types.ts';

/** The words behind the program: `parseVerb` of them gives the command again. */
export function render(command: Command, row: VerbRow): Bytes[] {
  const words: Bytes[] = [];
  renderUses(command.globals, GLOBAL_OPTIONS, words);
  if (command.globalWords !== undefined) words.push(...command.globalWords);
  words.push(...command.verb.split(' '));
  renderUses(command.options, row.options, words);
  if (command.optionWords !== undefined) words.push(...command.optionWords);
  const shielded = row.stopAtOperand ? command.operands.slice(0, 1) : command.operands;
  if (shielded.some(looksLikeOption)) words.push('--');
  words.push(...command.operands);
  return words;
}

function looksLikeOption(word: Bytes): boolean {
  return word.length > 1 && word.charCodeAt(0) === 45;
}

interface Form {
  readonly flag: boolean;
  readonly letter: string | undefined;
}

/** Tables are few and constant: what rendering needs of each is worked out once. */
const known = new Map<readonly OptionRow[], Map<string, Form>>();

function formsOf(rows: readonly OptionRow[]): Map<string, Form> {
  let forms = known.get(rows);
  if (forms === undefined) {
    forms = new Map(rows.map(row => [row.name, { flag: row.kind === 'flag', letter: row.short }]));
    known.set(rows, forms);
  }
  return forms;
}

function renderUses(uses: readonly OptionUse[], rows: readonly OptionRow[], words: Bytes[]): void {
  if (uses.length === 0) return;
  const forms = formsOf(rows);
  for (const use of uses) {
    const { flag, letter } = forms.get(use.name) ?? { flag: false, letter: undefined };
    const name = use.form === 'short' && letter !== undefined ? `-${letter}` : `--${use.name}`;
    if (flag) words.push(use.value === 'true' && use.form !== 'joined' ? name : `--${use.name}=${use.value}`);
    else if (use.form === 'joined') words.push(`--${use.name}=${use.value}`);
    else words.push(name, use.value);
  }
}
