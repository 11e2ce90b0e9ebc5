# zsh -f completion.zsh LINE…: what zsh's completion offers behind each, one line of sorted words for each. It completes in a terminal
# alone, so it has one.
zmodload zsh/zpty
zpty asked zsh -f -i
# Whatever is offered passes compadd, which also serves _arguments and _describe for what they only want to know (-O, -A, -D).
zpty -w asked "PS1= PS2= RPS1=; stty -echo; autoload -Uz compinit; compinit -u -D
over() { print -r -- '<ov''er>'; comppostfuncs=(over) }
comppostfuncs=(over)
compadd() {
    local -a got
    [[ \${@[1,(i)(-|--)]} == *-[OAD]\ * ]] || { builtin compadd -A got \"\$@\"; print -rl -- '<='\${^got}'>' }
    builtin compadd \"\$@\"
}
print -r -- '<rea''dy>'"
zpty -r asked said '*<ready>*'
for line in "$@"; do
    zpty -w -n asked $'\x15'"$line"$'\t'
    zpty -r asked said '*<over>*'
    print -r -- ${(ou)${(f)"$(print -r -- $said | grep -o '<=[^>]*>' | sed 's/^<=//; s/>$//')"}}
done
zpty -d asked
