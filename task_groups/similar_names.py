"""What may have been meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable

MOST_SUGGESTIONS = 3


def similar_tasks(typed: str, names: Collection[str]) -> list[str]:
    """The tasks that may have been meant: also by the last part of their names."""
    word = typed.lower().replace(":", ".").replace("/", ".").replace("_", "-").strip(". ")
    if word in names:
        return [word]
    if same := [name for name in names if name.rpartition(".")[2] == word]:
        return sorted(same)[:MOST_SUGGESTIONS]
    longer = sorted(name for name in names if name.startswith(word)) if len(word) > 2 else []
    return longer if 0 < len(longer) <= MOST_SUGGESTIONS else similar(word, names)


def similar(typed: str, names: Iterable[str]) -> list[str]:
    """The names most similar to what was typed; those that are hardly less so as well."""
    from difflib import SequenceMatcher, get_close_matches

    close = get_close_matches(typed, names, n=MOST_SUGGESTIONS, cutoff=0.65)
    ratios = {name: SequenceMatcher(None, name, typed).ratio() for name in close}
    return [name for name in close if ratios[name] > max(ratios.values()) - 0.04]


def similar_options(typed: str, flags: Iterable[str]) -> list[str]:
    """The options that may have been meant: ``-u`` and ``--USER`` are ``--user``."""
    word = typed.lower()
    if len(word) == 2:
        same = [flag for flag in sorted(flags) if flag.startswith(f"-{word}")]
        return same if len(same) <= MOST_SUGGESTIONS else []
    return similar(word, flags)
