import { GLOBAL_OPTIONS } from '../../src/command/globals.ts';
import type { OptionRow, VerbRow } from '../../src/command/types.ts';
import {
  groups,
  INSPECTED,
  INSPECTED_TYPES,
  offered,
  operandsOf,
  optionWords,
  shownVerbs,
  SOURCES,
  takesWord,
  type Source,
} from './rows.ts';
import { valuesOf } from './values.ts';

/** Completion of `berth` for fish(1): verbs and options with their help from the tables, names from what `berth` lists. */
export function fishCompletion(): string {
  const rows = shownVerbs();
  const firsts = [...new Set(rows.map(row => row.name.split(' ')[0] ?? ''))];
  const lines = [
    '# fish completion for berth(1); made from its option tables.',
    ...helpers(rows),
    'complete -c berth -f',
  ];
  for (const option of offered(GLOBAL_OPTIONS)) lines.push(optionLine("__berth_in ''", undefined, option));
  for (const first of firsts) {
    const help = rows.find(row => row.name === first)?.help ?? `verbs of ${first}`;
    lines.push(`complete -c berth -n ${quote("__berth_in ''")} -a ${first} -d ${quote(help)}`);
  }
  for (const row of rows) {
    const [first = '', second] = row.name.split(' ');
    if (second !== undefined)
      lines.push(`complete -c berth -n ${quote(`__berth_in ${first}`)} -a ${second} -d ${quote(row.help)}`);
    for (const option of offered(row.options)) lines.push(optionLine(`__berth_in ${quote(row.name)}`, row, option));
    lines.push(...operandLines(row));
  }
  return `${lines.join('\n')}\n`;
}

/** The verb and the place of the word are found out once for a line: there are a thousand conditions, and any word may be a verb's. */
function helpers(rows: readonly VerbRow[]): string[] {
  const words = (options: readonly OptionRow[]): string =>
    offered(options).filter(takesWord).flatMap(optionWords).join(' ');
  const stops = rows.filter(row => row.stopAtOperand).map(row => quote(row.name));
  return [
    'function __berth_parse',
    '    set -l words (commandline -opc)',
    '    test "$words" = "$__berth_words"; and return',
    "    set -g __berth_words $words; set -g __berth_verb ''; set -g __berth_place 0; set -g __berth_over no",
    `    set -l skip no; set -l known no; set -l valued ${words(GLOBAL_OPTIONS)}`,
    '    for word in $words[2..]',
    '        if test $skip = yes; set skip no; continue; end',
    "        if string match -qr -- '^-.' $word; and test $__berth_over = no",
    '            contains -- $word $valued; and set skip yes',
    '        else if test $known = yes',
    '            set __berth_place (math $__berth_place + 1)',
    `            contains -- $__berth_verb ${stops.join(' ')}; and set __berth_over yes`,
    '        else',
    '            set __berth_verb (string trim -- "$__berth_verb $word")',
    `            contains -- $__berth_verb ${groups(rows).join(' ')}; and continue`,
    '            set known yes',
    '            switch $__berth_verb',
    ...rows.map(row => `            case ${quote(row.name)}; set valued ${words(row.options)}`),
    '            end',
    '        end',
    '    end',
    'end',
    'function __berth_in; __berth_parse; test "$__berth_verb" = "$argv"; and test $__berth_over = no; end',
    'function __berth_at; __berth_parse; test "$__berth_verb" = "$argv[1]"; and test $__berth_place $argv[2] $argv[3]; end',
    'function __berth_names',
    '    switch $argv[1]',
    ...Object.entries(SOURCES).map(([kind, command]) => `    case ${kind}; ${command} 2>/dev/null`),
    '    case inspected',
    `        set -l kind (string match -rg -- ' (?:--type|-t)[= ](${INSPECTED_TYPES}) ' (string join ' ' -- (commandline -opc) ''))`,
    `        set -l kinds ${INSPECTED.join(' ')}`,
    '        set -q kind[1]; and set kinds $kind[-1]s',
    '        for one in $kinds; __berth_names $one; end',
    "    case directories; __fish_complete_directories (commandline -ct) ''",
    '    end',
    'end',
  ];
}

function optionLine(condition: string, row: VerbRow | undefined, option: OptionRow): string {
  const short = option.short === undefined ? '' : ` -s ${option.short}`;
  const aliases = (option.aliases ?? []).map(alias => ` -l ${alias}`).join('');
  const { words, from } = valuesOf(row, option);
  const value = option.kind === 'flag' ? '' : ` ${takesWord(option) ? '-r' : ''}${answers(words, from)}`;
  return `complete -c berth -n ${quote(condition)} -l ${option.name}${aliases}${short}${value} -d ${quote(option.help)}`;
}

function operandLines(row: VerbRow): string[] {
  const places = operandsOf(row);
  return places.flatMap((from, place) => {
    const at = `__berth_at ${quote(row.name)} ${place === places.length - 1 ? '-ge' : '-eq'} ${String(place)}`;
    return from.length === 0 ? [] : [`complete -c berth -n ${quote(at)}${answers([], from)}`];
  });
}

function answers(words: readonly string[], from: readonly Source[]): string {
  const asked = from.filter(source => source !== 'files').map(source => `(__berth_names ${source})`);
  const all = [...words, ...asked];
  return `${from.includes('files') ? ' -F' : ' -f'}${all.length === 0 ? '' : ` -a ${quote(all.join(' '))}`}`;
}

/** In single quotes only backslash and quote are special to fish. */
function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
