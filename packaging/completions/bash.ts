import { GLOBAL_OPTIONS } from '../../src/command/globals.ts';
import type { OptionRow, VerbRow } from '../../src/command/types.ts';
import { VERBS } from '../../src/verbs/table.ts';

/** bash-completion for `berth`: verbs and options from the tables; containers and images from `berth ps` and `berth images`. */
export function bashCompletion(): string {
  const rows = VERBS.filter(row => row.hidden !== true);
  return [
    '# bash completion for berth(1); made from its option tables.',
    '_berth() {',
    '    local cur=${COMP_WORDS[COMP_CWORD]} verb= word at=1',
    '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '        case $word in -*) ;; *) verb+="${verb:+ }$word"; case $verb in ' +
      `${groups(rows).join('|')}) continue ;; esac; break ;; esac`,
    '    done',
    '    local options= operands=',
    '    case $verb in',
    ...rows.map(row => `    '${row.name}') options='${names(row.options)}' operands=${operandKind(row)} ;;`),
    `    '') options='${names(GLOBAL_OPTIONS)}' operands=verbs ;;`,
    ...groups(rows).map(
      group => `    ${group}) COMPREPLY=($(compgen -W '${second(rows, group)}' -- "$cur")); return ;;`,
    ),
    '    esac',
    '    case $cur in -*) COMPREPLY=($(compgen -W "$options" -- "$cur")); return ;; esac',
    '    case $operands in',
    `    verbs) COMPREPLY=($(compgen -W '${[...new Set(rows.map(row => row.name.split(' ')[0] ?? ''))].join(' ')}' -- "$cur")) ;;`,
    '    containers) COMPREPLY=($(compgen -W "$(berth ps --all --format \'{{.Names}}\' 2>/dev/null)" -- "$cur")) ;;',
    '    images) COMPREPLY=($(compgen -W "$(berth images --format \'{{.Repository}}:{{.Tag}}\' 2>/dev/null)" -- "$cur")) ;;',
    '    *) COMPREPLY=($(compgen -f -- "$cur")) ;;',
    '    esac',
    '}',
    'complete -o filenames -F _berth berth',
    '',
  ].join('\n');
}

function names(options: readonly OptionRow[]): string {
  return options
    .filter(option => option.refused === undefined)
    .map(option => `--${option.name}`)
    .join(' ');
}

/** First words of verbs of two words. */
function groups(rows: readonly VerbRow[]): string[] {
  return [...new Set(rows.filter(row => row.name.includes(' ')).map(row => row.name.split(' ')[0] ?? ''))];
}

function second(rows: readonly VerbRow[], group: string): string {
  return rows
    .filter(row => row.name.startsWith(`${group} `))
    .map(row => row.name.slice(group.length + 1))
    .join(' ');
}

function operandKind(row: VerbRow): string {
  if (/^(CONTAINER|NAME)/.test(row.operands)) return 'containers';
  if (/^IMAGE/.test(row.operands)) return 'images';
  return 'files';
}
