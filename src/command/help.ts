import type { OptionRow, VerbRow } from './types.ts';

const WIDTH = 80;
/** Verbs with more options than this show the names only: help fits a screen. */
const LISTED = 17;

/** `berth VERB --help`. */
export function helpOf(row: VerbRow): string {
  const usage = `usage: berth ${row.name} [options] ${row.operands}`.trimEnd();
  const rows = row.options.filter(option => option.refused === undefined);
  const lines = [usage, '', sentence(row.help), ''];
  if (rows.length === 0) return lines.slice(0, -1).join('\n') + '\n';
  if (rows.length <= LISTED) return [...lines, ...rows.map(optionLine), ''].join('\n');
  const names = namesOf(rows);
  return [...lines, ...wrap(names), '', `\`berth help ${row.name} --OPTION\` describes one of them.`, ''].join('\n');
}

/** Many of one family are one word: `--health-*`. */
const FAMILY = 5;

function namesOf(rows: readonly OptionRow[]): string[] {
  const familyOf = (row: OptionRow): string => row.name.slice(0, row.name.indexOf('-') + 1);
  const sizes = new Map<string, number>();
  for (const row of rows) sizes.set(familyOf(row), (sizes.get(familyOf(row)) ?? 0) + 1);
  const names = rows.map(option => {
    const family = familyOf(option);
    if (family !== '' && (sizes.get(family) ?? 0) >= FAMILY) return `--${family}*`;
    return (option.short === undefined ? '' : `-${option.short}/`) + `--${option.name}`;
  });
  return names.filter((name, index) => name !== names[index - 1]);
}

/** `berth help VERB --OPTION`. */
export function helpOfOption(verb: VerbRow, option: OptionRow): string {
  const refused = option.refused === undefined ? [] : [`not supported: ${option.refused}`];
  return [`berth ${verb.name}`, optionLine(option), ...refused, ''].join('\n');
}

/** `berth help`: one line per verb. */
export function helpOfAll(verbs: readonly VerbRow[]): string {
  const shown = verbs.filter(row => row.hidden !== true);
  return [
    'usage: berth [options] VERB [options] [operands]',
    '',
    ...shown.map(row => `  ${row.name.padEnd(17)}${row.help}`),
    '',
    '`berth help VERB` describes one; `berth help keys` lists the keys of unit files.',
    '',
  ].join('\n');
}

function optionLine(option: OptionRow): string {
  const short = option.short === undefined ? '    ' : `-${option.short}, `;
  const value = option.value === undefined ? '' : ` ${option.value}`;
  const head = `  ${short}--${option.name}${value}`;
  return head.length < 34 ? `${head.padEnd(34)}${option.help}` : `${head}\n${' '.repeat(34)}${option.help}`;
}

function wrap(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = ' ';
  for (const word of words) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
