# Completion of cruddur and invoke for fish. Nothing runs before a key is pressed.
function __cruddur_candidates
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l word (commandline --current-token --cut-at-cursor)
    set -l program $words[1]
    set -l candidates
    if command --query -- $program
        set candidates ($program --complete -- (basename $program) $words[2..] $word 2>/dev/null)
    end
    if set --query candidates[1]
        string join \n -- $candidates
    else
        __fish_complete_path $word
    end
end
complete --command cruddur --command invoke --command inv --no-files --arguments '(__cruddur_candidates)'
