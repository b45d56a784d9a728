# Completion of cruddur and invoke for fish. Nothing runs before a key is pressed.
function __cruddur_candidates
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l program $words[1]
    command --query -- $program; or return
    $program --complete -- (basename $program) $words[2..] (commandline --current-token --cut-at-cursor) 2>/dev/null
end
complete --command cruddur --command invoke --command inv --arguments '(__cruddur_candidates)'
