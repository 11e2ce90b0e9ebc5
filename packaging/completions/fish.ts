import { GLOBAL_OPTIONS } from '../../src/command/globals.ts';
import type { OptionRow } from '../../src/command/types.ts';
import { offered, operandKind, shownVerbs, SOURCES } from './rows.ts';

/** Completion of `berth` for fish(1): verbs and options with their help from the tables, names from what `berth` lists. */
export function fishCompletion(): string {
  const rows = shownVerbs();
  const firsts = [...new Set(rows.map(row => row.name.split(' ')[0] ?? ''))];
  const lines = ['# fish completion for berth(1); made from its option tables.', 'complete -c berth -f'];
  for (const option of offered(GLOBAL_OPTIONS)) lines.push(optionLine('__fish_use_subcommand', option));
  for (const first of firsts) {
    const help = rows.find(row => row.name === first)?.help ?? `verbs of ${first}`;
    lines.push(`complete -c berth -n __fish_use_subcommand -a ${first} -d ${quote(help)}`);
  }
  for (const row of rows) {
    const [first = '', second] = row.name.split(' ');
    const seen = `__fish_seen_subcommand_from ${first}`;
    if (second !== undefined) lines.push(`complete -c berth -n ${quote(seen)} -a ${second} -d ${quote(row.help)}`);
    const here = second === undefined ? seen : `${seen}; and __fish_seen_subcommand_from ${second}`;
    for (const option of offered(row.options)) lines.push(optionLine(here, option));
    const kind = operandKind(row);
    if (kind === 'files') lines.push(`complete -c berth -n ${quote(here)} -F`);
    else lines.push(`complete -c berth -n ${quote(here)} -a ${quote(`(${SOURCES[kind]} 2>/dev/null)`)}`);
  }
  return `${lines.join('\n')}\n`;
}

function optionLine(condition: string, option: OptionRow): string {
  const short = option.short === undefined ? '' : ` -s ${option.short}`;
  const value = option.kind === 'flag' ? '' : ' -r';
  return `complete -c berth -n ${quote(condition)} -l ${option.name}${short}${value} -d ${quote(option.help)}`;
}

/** In single quotes only backslash and quote are special to fish. */
function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
