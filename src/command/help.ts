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

/** `berth help`: the names alone, which fit a screen. Those of two words with the same first one are one word: `pod create|rm`. */
export function helpOfGroups(
  groups: readonly { readonly title: string; readonly verbs: readonly VerbRow[] }[],
): string {
  const lines = groups.flatMap(({ title, verbs }) => {
    const names = verbs.filter(row => row.hidden !== true).map(row => row.name);
    return wrap(together(names), TITLE).map((line, at) => `  ${(at === 0 ? title : '').padEnd(TITLE)}${line}`);
  });
  return [
    'usage: berth [options] VERB [options] [operands]',
    '',
    ...lines,
    '',
    '`berth help VERB` describes one, `berth help verbs` all in a line each;',
    '`berth help keys` lists the keys of unit files.',
    '',
  ].join('\n');
}

const TITLE = 11;

function together(names: readonly string[]): string[] {
  const found = new Map<string, string[]>();
  for (const name of names) {
    const [first = '', second] = name.split(' ');
    if (second === undefined) found.set(name, []);
    else found.set(`${first} `, [...(found.get(`${first} `) ?? []), second]);
  }
  return [...found].flatMap(([first, rest]) =>
    rest
      .map((word, at) => `${at === 0 ? first : ''}${word}${at < rest.length - 1 ? '|' : ''}`)
      .concat(rest.length > 0 ? [] : first),
  );
}

/** `berth help verbs`: one line per verb. */
export function helpOfAll(verbs: readonly VerbRow[]): string {
  const shown = verbs.filter(row => row.hidden !== true);
  const width = Math.max(...shown.map(row => row.name.length)) + 2;
  return [
    'usage: berth [options] VERB [options] [operands]',
    '',
    ...shown.map(row => `  ${row.name.padEnd(width)}${row.help}`),
    '',
    '`berth help VERB` describes one.',
    '',
  ].join('\n');
}

function optionLine(option: OptionRow): string {
  const short = option.short === undefined ? '    ' : `-${option.short}, `;
  const value = option.value === undefined ? '' : ` ${option.value}`;
  const head = `  ${short}--${option.name}${value}`;
  return head.length < 34 ? `${head.padEnd(34)}${option.help}` : `${head}\n${' '.repeat(34)}${option.help}`;
}

/** Lines of words behind `indent` columns; a word that ends in `|` is followed by its neighbour without a blank. */
function wrap(words: readonly string[], indent = 0): string[] {
  const lines: string[] = [];
  let line = ' ';
  for (const word of words) {
    const between = line.endsWith('|') ? '' : ' ';
    if (indent + line.length + between.length + word.length > WIDTH - 2) {
      lines.push(line);
      line = ' ';
    }
    line += (line.endsWith('|') ? '' : ' ') + word;
  }
  return [...lines, line];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
