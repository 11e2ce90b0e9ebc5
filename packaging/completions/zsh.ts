import { GLOBAL_OPTIONS } from '../../src/command/globals.ts';
import type { OptionRow, VerbRow } from '../../src/command/types.ts';
import { groups, INSPECTED, INSPECTED_TYPES, offered, operandsOf, optionWords, shownVerbs, SOURCES } from './rows.ts';
import { valuesOf, type Values } from './values.ts';

/** Completion of `berth` for zsh(1): verbs and options with their help from the tables, names from what `berth` lists. */
export function zshCompletion(): string {
  const rows = shownVerbs();
  const twoWords = groups(rows);
  return [
    '#compdef berth',
    '# zsh completion for berth(1); made from its option tables.',
    '_berth() {',
    '    local curcontext=$curcontext state line verb',
    '    local -a state_descr; local -A opt_args',
    `    _arguments -C ${specs(undefined, GLOBAL_OPTIONS)} '(-)1:verb:->verb' '(-)*::argument:->argument'`,
    '    case $state in',
    `    verb) local -a verbs=(${firstWords(rows).join(' ')}); _describe verb verbs ;;`,
    '    argument)',
    '        verb=$words[1]',
    `        case $verb in ${twoWords.join('|')}) [[ CURRENT -gt 2 ]] && verb+=" $words[2]" ;; esac`,
    '        case $verb in',
    ...twoWords.map(
      group => `        ${group}) local -a verbs=(${described(rows, group).join(' ')}); _describe verb verbs ;;`,
    ),
    ...rows.map(row => `        '${row.name}') ${shift(row)}_arguments ${specs(row, row.options)} ${places(row)} ;;`),
    '        esac ;;',
    '    esac',
    '}',
    // Words, and sources of names behind `@`.
    '_berth_value() {',
    '    local one; local -a names',
    '    for one; do',
    '        names=()',
    '        case $one in',
    '        @files) _files; continue ;;',
    // What _arguments has found on the line.
    '        @inspected)',
    '            case ${opt_args[--type]:-$opt_args[-t]} in',
    `            ${INSPECTED_TYPES}) _berth_value @\${opt_args[--type]:-$opt_args[-t]}s ;;`,
    `            *) _berth_value ${INSPECTED.map(source => `@${source}`).join(' ')} ;;`,
    '            esac; continue ;;',
    '        @directories) _files -/; continue ;;',
    ...Object.entries(SOURCES).map(
      ([kind, command]) => `        @${kind}) names=(\${(f)"$(${command} 2>/dev/null)"}) ;;`,
    ),
    '        *) names=($one) ;;',
    '        esac',
    '        compadd -a names',
    '    done',
    '}',
    '_berth "$@"',
    '',
  ].join('\n');
}

/** The words of a verb of two words: _arguments wants the verb alone before its arguments. */
function shift(row: VerbRow): string {
  return row.name.includes(' ') ? 'shift words; ((CURRENT--)); ' : '';
}

/** A place for each operand; behind the first one of `run` and `exec` options are the payload's. */
function places(row: VerbRow): string {
  const all = operandsOf(row);
  const alone = row.stopAtOperand ? '(-)' : '';
  return all
    .map((from, place) => {
      const at = place === all.length - 1 ? '*' : String(place + 1);
      return `'${alone}${at}:${row.operands.replace(/[':]/g, '')}:${action({ words: [], from })}'`;
    })
    .join(' ');
}

/** The space says that the words are all there is to be called. */
function action({ words, from }: Values): string {
  const all = [...words, ...from.map(source => `@${source}`)];
  return all.length === 0 ? ' ' : ` _berth_value ${all.join(' ')}`;
}

function specs(row: VerbRow | undefined, options: readonly OptionRow[]): string {
  return offered(options)
    .flatMap(option => {
      const help = `[${clean(option.help)}]`;
      const value = option.kind === 'flag' ? '' : `:${clean(option.value ?? 'value')}:${action(valuesOf(row, option))}`;
      const many = option.kind === 'list' || option.kind === 'words' ? '*' : '';
      const equals = option.kind === 'flag' ? '' : '=';
      return optionWords(option).map(word => `'${many}${word}${word.startsWith('--') ? equals : ''}${help}${value}'`);
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
