import { GLOBAL_OPTIONS } from '../../src/command/globals.ts';
import type { OptionRow, VerbRow } from '../../src/command/types.ts';
import { groups, offered, operandKind, shownVerbs, SOURCES } from './rows.ts';

/** Completion of `berth` for zsh(1): verbs and options with their help from the tables, names from what `berth` lists. */
export function zshCompletion(): string {
  const rows = shownVerbs();
  const twoWords = groups(rows);
  return [
    '#compdef berth',
    '# zsh completion for berth(1); made from its option tables.',
    '_berth() {',
    '    local curcontext=$curcontext state line verb',
    '    local -a state_descr opt_args',
    `    _arguments -C ${specs(GLOBAL_OPTIONS)} '1:verb:->verb' '*::argument:->argument'`,
    '    case $state in',
    `    verb) local -a verbs=(${firstWords(rows).join(' ')}); _describe verb verbs ;;`,
    '    argument)',
    '        verb=$words[1]',
    `        case $verb in ${twoWords.join('|')}) [[ CURRENT -gt 2 ]] && verb+=" $words[2]" ;; esac`,
    '        case $verb in',
    ...twoWords.map(
      group => `        ${group}) local -a verbs=(${described(rows, group).join(' ')}); _describe verb verbs ;;`,
    ),
    ...rows.map(
      row =>
        `        '${row.name}') ${shift(row)}_arguments ${specs(row.options)} '*:${row.operands.replace(/[':]/g, '')}:${action(row)}' ;;`,
    ),
    '        esac ;;',
    '    esac',
    '}',
    ...Object.entries(SOURCES).map(
      ([kind, command]) => `_berth_${kind}() { local -a names=(\${(f)"$(${command} 2>/dev/null)"}); compadd -a names }`,
    ),
    '_berth "$@"',
    '',
  ].join('\n');
}

/** The words of a verb of two words: _arguments wants the verb alone before its arguments. */
function shift(row: VerbRow): string {
  return row.name.includes(' ') ? 'shift words; ((CURRENT--)); ' : '';
}

function action(row: VerbRow): string {
  const kind = operandKind(row);
  return kind === 'files' ? '_files' : `_berth_${kind}`;
}

function specs(options: readonly OptionRow[]): string {
  return offered(options)
    .flatMap(option => {
      const help = `[${clean(option.help)}]`;
      const value = option.kind === 'flag' ? '' : `:${clean(option.value ?? 'value')}: `;
      const many = option.kind === 'list' || option.kind === 'words' ? '*' : '';
      const long = `'${many}--${option.name}${option.kind === 'flag' ? '' : '='}${help}${value}'`;
      return option.short === undefined ? [long] : [long, `'${many}-${option.short}${help}${value}'`];
    })
    .join(' ');
}

function firstWords(rows: readonly VerbRow[]): string[] {
  const single = rows.filter(row => !row.name.includes(' ')).map(row => `'${row.name}:${clean(row.help)}'`);
  return [...single, ...groups(rows).map(group => `'${group}:verbs of ${group}'`)];
}

function described(rows: readonly VerbRow[], group: string): string[] {
  return rows
    .filter(row => row.name.startsWith(`${group} `))
    .map(row => `'${row.name.slice(group.length + 1)}:${clean(row.help)}'`);
}

/** Brackets, colons and quotes have a meaning in _arguments and _describe. */
function clean(text: string): string {
  return text.replace(/[[\]]/g, '').replace(/:/g, ' -').replace(/'/g, "'\\''");
}
