# Completion of cruddur and invoke for zsh. Nothing runs before a key is pressed.
_cruddur_candidates() {
    local program=${words[1]/#\~/$HOME}
    local -a candidates
    whence -p -- "$program" >/dev/null || return 1
    candidates=("${(@f)$("$program" --complete -- "${program:t}" "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n $candidates[1] ]]; then
        compadd -- $candidates
    else
        _files
    fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _cruddur_candidates cruddur invoke inv
