import type { Bytes } from '../host/host.ts';
import type { Command, OptionRow, OptionUse, VerbRow } from './types.ts';

/** What rendering needs of a verb. With its table, uses of flags may leave `form` out. */
export type RenderedVerb = Pick<VerbRow, 'name' | 'stopAtOperand'> & { readonly options?: readonly OptionRow[] };

/** The words behind the program: `parseVerb` of them gives the command again. */
export function render(command: Command, row: RenderedVerb): Bytes[] {
  const words: Bytes[] = [];
  for (const use of command.globals) renderUse(use, words);
  if (command.globalWords !== undefined) words.push(...command.globalWords);
  if (command.verb.includes(' ')) words.push(...command.verb.split(' '));
  else words.push(command.verb);
  const { options } = command;
  for (let i = 0; i < options.length; i++) {
    const use = options[i];
    if (use === undefined) break;
    if (use.form === undefined && row.options !== undefined && isFlag(row.options, use.name)) renderFlag(use, words);
    else renderUse(use, words);
  }
  if (command.optionWords !== undefined) words.push(...command.optionWords);
  const { operands } = command;
  if (row.stopAtOperand ? looksLikeOption(operands[0] ?? '') : operands.some(looksLikeOption)) words.push('--');
  for (let i = 0; i < operands.length; i++) words.push(operands[i] ?? '');
  return words;
}

function looksLikeOption(word: Bytes): boolean {
  return word.charCodeAt(0) === 45 && word.length > 1;
}

function renderUse(use: OptionUse, words: Bytes[]): void {
  const { form, letter } = use;
  const at = words.length;
  if (form === 'joined') {
    words[at] = `--${use.name}=${use.value}`;
    return;
  }
  words[at] = letter === undefined ? `--${use.name}` : `-${letter}`;
  if (form !== 'flag') words[at + 1] = use.value;
}

function isFlag(rows: readonly OptionRow[], name: string): boolean {
  return rows.find(row => row.name === name)?.kind === 'flag';
}

function renderFlag(use: OptionUse, words: Bytes[]): void {
  words.push(use.value === 'true' ? `--${use.name}` : `--${use.name}=${use.value}`);
}
