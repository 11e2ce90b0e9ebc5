import { GLOBAL_OPTIONS } from '../../src/command/globals.ts';
import { groups, operandKind, optionNames, second, shownVerbs, SOURCES } from './rows.ts';

/** bash-completion for `berth`: verbs and options from the tables; names from what `berth` lists. */
export function bashCompletion(): string {
  const rows = shownVerbs();
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
    ...rows.map(row => `    '${row.name}') options='${optionNames(row.options)}' operands=${operandKind(row)} ;;`),
    `    '') options='${optionNames(GLOBAL_OPTIONS)}' operands=verbs ;;`,
    ...groups(rows).map(
      group => `    ${group}) COMPREPLY=($(compgen -W '${second(rows, group)}' -- "$cur")); return ;;`,
    ),
    '    esac',
    '    case $cur in -*) COMPREPLY=($(compgen -W "$options" -- "$cur")); return ;; esac',
    '    case $operands in',
    `    verbs) COMPREPLY=($(compgen -W '${[...new Set(rows.map(row => row.name.split(' ')[0] ?? ''))].join(' ')}' -- "$cur")) ;;`,
    ...Object.entries(SOURCES).map(
      ([kind, command]) => `    ${kind}) COMPREPLY=($(compgen -W "$(${command} 2>/dev/null)" -- "$cur")) ;;`,
    ),
    '    *) COMPREPLY=($(compgen -f -- "$cur")) ;;',
    '    esac',
    '}',
    'complete -o filenames -F _berth berth',
    '',
  ].join('\n');
}
