import { GLOBAL_OPTIONS } from '../../src/command/globals.ts';
import type { OptionRow, VerbRow } from '../../src/command/types.ts';
import {
  groups,
  INSPECTED,
  INSPECTED_TYPES,
  offered,
  operandsOf,
  optionWords,
  second,
  shownVerbs,
  SOURCES,
  takesWord,
} from './rows.ts';
import { valuesOf } from './values.ts';

/** bash-completion for `berth`: verbs and options from the tables; names from what `berth` lists. */
export function bashCompletion(): string {
  const rows = shownVerbs();
  return [
    '# bash completion for berth(1); made from its option tables.',
    // Bash cuts words at `@`, `:` and `=`, which are in names of instances and images, and puts only the last part in the answer's place.
    '_berth() {',
    `    local line=\${COMP_LINE:0:COMP_POINT} cur= verb= known= place=0 option= word words names=() ask=() stops=`,
    `    local options='${names(GLOBAL_OPTIONS)}' valued=' ${valued(GLOBAL_OPTIONS)} ' operands=()`,
    '    read -ra words <<<"$line"',
    "    case $line in *[[:space:]]) ;; *) cur=${words[${#words[@]}-1]}; unset 'words[${#words[@]}-1]' ;; esac",
    '    for word in "${words[@]:1}"; do',
    '        if [ -n "$option" ]; then option=; continue; fi',
    '        case $word in',
    '        -?*) if [ -n "$stops" ] && [ "$place" -gt 0 ]; then place=$((place + 1)); else case $valued in *" $word "*) option=$word ;; esac; fi ;;',
    '        *) if [ -n "$known" ]; then place=$((place + 1)); else',
    `            verb+=\${verb:+ }$word; case $verb in ${groups(rows).join('|')}) ;; *) known=yes; _berth_verb ;; esac; fi ;;`,
    '        esac',
    '    done',
    '    local value=$cur joined=',
    '    case $cur in --*=*) [ -n "$option" ] || { option=${cur%%=*} value=${cur#*=} joined=$option=; } ;; esac',
    '    if [ -n "$option" ]; then _berth_value',
    '    elif [[ $cur == -* ]] && { [ -z "$stops" ] || [ "$place" = 0 ]; }; then names=($options)',
    '    elif [ -n "$known" ]; then [ ${#operands[@]} = 0 ] || ask=(${operands[place < ${#operands[@]} ? place : ${#operands[@]} - 1]})',
    '    else',
    '        case $verb in',
    `        '') names=(${[...new Set(rows.map(row => row.name.split(' ')[0] ?? ''))].join(' ')}) ;;`,
    ...groups(rows).map(group => `        ${group}) names=(${second(rows, group)}) ;;`),
    '        esac',
    '    fi',
    '    for word in "${ask[@]}"; do _berth_ask "$word"; done',
    '    local before=${value%"${value##*["$COMP_WORDBREAKS"]}"}',
    '    [[ $COMP_WORDBREAKS == *=* ]] && joined=',
    '    for word in "${names[@]}"; do [[ $word != "$value"* ]] || COMPREPLY+=("$joined$(printf %q "${word#"$before"}")"); done',
    '}',
    '_berth_verb() {',
    '    case $verb in',
    ...rows.map(verbLine),
    '    *) options= valued= ;;',
    '    esac',
    '}',
    '_berth_value() {',
    '    case "$verb $option" in',
    ...valueLines(rows),
    '    esac',
    '}',
    // Not as words for compgen: it would expand what is in a name.
    '_berth_ask() {',
    '    local more=()',
    '    case $1 in',
    '    inspected)',
    `        local one kinds=(${INSPECTED.join(' ')}) type=' (--type|-t)[= ](${INSPECTED_TYPES}) '`,
    '        [[ "${words[*]} " =~ $type ]] && kinds=("${BASH_REMATCH[2]}s")',
    '        for one in "${kinds[@]}"; do _berth_ask "$one"; done ;;',
    ...Object.entries(SOURCES).map(([kind, command]) => `    ${kind}) mapfile -t more < <(${command} 2>/dev/null) ;;`),
    '    *) compopt -o filenames 2>/dev/null; mapfile -t more < <(compgen -"${1:0:1}" -- "$value") ;;',
    '    esac',
    '    names+=("${more[@]}")',
    '}',
    'complete -F _berth berth',
    '',
  ].join('\n');
}

function names(options: readonly OptionRow[]): string {
  return offered(options)
    .map(option => `--${option.name}`)
    .join(' ');
}

function valued(options: readonly OptionRow[]): string {
  return offered(options).filter(takesWord).flatMap(optionWords).join(' ');
}

function verbLine(row: VerbRow): string {
  const operands = operandsOf(row).map(sources => `'${sources.join(' ')}'`);
  const stops = row.stopAtOperand ? ' stops=yes' : '';
  return `    '${row.name}') options='${names(row.options)}' valued=' ${valued(row.options)} ' operands=(${operands.join(' ')})${stops} ;;`;
}

/** A line for all options that take the same. */
function valueLines(rows: readonly VerbRow[]): string[] {
  const options = [
    ...offered(GLOBAL_OPTIONS).map(option => ({ row: undefined, option })),
    ...rows.flatMap(row => offered(row.options).map(option => ({ row, option }))),
  ];
  const lines = new Map<string, string[]>();
  for (const { row, option } of options.filter(one => one.option.kind !== 'flag')) {
    const { words, from } = valuesOf(row, option);
    if (words.length + from.length === 0) continue;
    const action = `names=(${words.join(' ')}) ask=(${from.join(' ')})`;
    const patterns = optionWords(option).map(word => `'${row?.name ?? ''} ${word}'`);
    lines.set(action, [...(lines.get(action) ?? []), ...patterns]);
  }
  return [...lines].map(([action, patterns]) => `    ${patterns.join('|')}) ${action} ;;`);
}
