# Completion of cruddur and invoke for bash. Nothing runs before a key is pressed.
_cruddur_candidates() {
    local program=${COMP_WORDS[0]/#\~/$HOME} candidate
    COMPREPLY=()
    type -P "$program" >/dev/null || return
    # A loop, because `compgen -W` would run what a candidate contains.
    while IFS= read -r candidate; do
        if [[ $candidate == "$2"* ]]; then COMPREPLY+=("$candidate"); fi
    done < <("$program" --complete -- "${program##*/}" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _cruddur_candidates cruddur invoke inv
