import { GLOBAL_OPTIONS } from '../../src/command/globals.ts';
import { groups, offered, operandKind, optionNames, second, shownVerbs, SOURCES } from './rows.ts';

/** bash-completion for `berth`: verbs and options from the tables; names from what `berth` lists. */
export function bashCompletion(): string {
  const rows = shownVerbs();
  return [
    '# bash completion for berth(1); made from its option tables.',
    '_berth() {',
    // Bash cuts words at `@`, `:` and `=`, which are in names of instances and images, and puts only the last part in the answer's place.
    '    local line=${COMP_LINE:0:COMP_POINT} cur= verb= word names words',
    '    read -ra words <<<"$line"',
    "    case $line in *[[:space:]]) ;; *) cur=${words[${#words[@]}-1]}; unset 'words[${#words[@]}-1]' ;; esac",
    '    local before=${cur%"${cur##*["$COMP_WORDBREAKS"]}"} skip=',
    '    for word in "${words[@]:1}"; do',
    '        [ -z "$skip" ] || { skip=; continue; }',
    `        case $word in ${valued().join('|')}) skip=yes ;; -*) ;; *) verb+="\${verb:+ }$word"; case $verb in ${groups(rows).join('|')}) continue ;; esac; break ;; esac`,
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
      // Not as words for compgen: it would expand what is in a name.
      ([kind, command]) => `    ${kind}) mapfile -t names < <(${command} 2>/dev/null) ;;`,
    ),
    '    *) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;',
    '    esac',
    '    for word in "${names[@]}"; do [[ $word != "$cur"* ]] || COMPREPLY+=("$(printf %q "${word#"$before"}")"); done',
    '}',
    'complete -F _berth berth',
    '',
  ].join('\n');
}

/** Options before the verb whose value is a word of its own. */
function valued(): string[] {
  return offered(GLOBAL_OPTIONS).flatMap(option => (option.kind === 'flag' ? [] : [`--${option.name}`]));
}
