"""The check of variables that are set but have no effect, or not the intended one."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from core.doctor.findings import Finding, bad, note, ok
from core.settings import Settings, variables as variables_set
from core.targets import Target

CLOSENESS = 0.8
"""How alike two names must be, out of 1, for one to count as a misspelling of the other."""

# Variables of other programs that look like ours.
_OTHERS = (
    "AWS_COGNITO_USER_POOL_CLIENT_ID",
    "CODESPACE*",
    "GITHUB_*",
    "GITPOD_*",
    "POSTGRES_DB",
    "POSTGRES_HOST",
    "POSTGRES_PASSWORD",
    "POSTGRES_USER",
    "USERNAME",
)
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_TOGETHER = (
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("DB_SG_ID", "DB_SG_RULE_ID"),
    ("user1_name", "user1_email", "user1_username"),
    ("user2_name", "user2_email", "user2_username"),
)
_CHECK = "variables"


def variables(target: Target) -> Iterator[Finding]:
    """Findings about the variables in the environment and in ``.env``."""
    in_dotenv = {name for name, value in variables_set({}).items() if value.strip()}
    in_shell = variables_set(dotenv=Path(os.devnull))
    yield from look(target, variables_set(), in_dotenv=in_dotenv, in_shell=in_shell)


def look(
    target: Target,
    values: Mapping[str, str],
    *,
    in_dotenv: Collection[str] = (),
    in_shell: Collection[str] = (),
) -> Iterator[Finding]:
    """Findings about the variables in ``values``. They never contain the values themselves.

    What ``in_dotenv`` does not have, the shell sets; ``in_shell`` names what both set.
    """
    values = {name: value.strip() for name, value in values.items() if value.strip()}
    places = _Places(in_dotenv, in_shell)
    findings = [
        *_incomplete(values, places),
        *_misspelt(values, places),
        *_contradicting(values, places),
        *_ignored(target, values, places),
    ]
    if not findings:
        used = sorted(values.keys() & _NAMES)
        findings = [
            ok(_CHECK, f"Set: {', '.join(used)}" if used else "None is set, and none is needed")
        ]
    yield from findings


_NAMES = {name for setting in fields(Settings) for name in setting.metadata["names"]}


@dataclass(frozen=True, slots=True)
class _Places:
    """Where variables are set: in ``.env``, by the shell, or in both, where the shell's count."""

    in_dotenv: Collection[str]
    in_shell: Collection[str]

    def removal(self, names: Collection[str], *, in_dotenv: bool = True) -> str:
        """How to remove the variables: a shell cannot unset what ``.env`` sets."""
        unset = " ".join(name for name in names if self.is_in_shell(name))
        lines = " and ".join(name for name in names if in_dotenv and name in self.in_dotenv)
        steps = [f"run: unset {unset}"] * bool(unset) + [f"remove {lines} from .env"] * bool(lines)
        return ", and ".join(steps)

    def is_in_shell(self, name: str) -> bool:
        return name in self.in_shell or name not in self.in_dotenv


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _incomplete(values: Mapping[str, str], places: _Places) -> Iterator[Finding]:
    for names in _TOGETHER:
        missing = [name for name in names if name not in values]
        if 0 < len(missing) < len(names):
            present = [name for name in names if name in values]
            # Where .env has all of them, they count once the shell sets none.
            is_whole = all(name in places.in_dotenv for name in names)
            removal = places.removal(present, in_dotenv=not is_whole)
            yield bad(
                _CHECK,
                f"{', '.join(present)} is set without {' and '.join(missing)}",
                f"Set all of them, or {removal}",
            )


def _misspelt(values: Mapping[str, str], places: _Places) -> Iterator[Finding]:
    spelt = {name.casefold(): name for name in _NAMES}
    for name in sorted(values.keys() - _NAMES):
        if _is_an_endpoint(name) or any(fnmatchcase(name, other) for other in _OTHERS):
            continue
        close = get_close_matches(name.casefold(), spelt, n=1, cutoff=CLOSENESS)
        if close:
            meant = spelt[close[0]]
            steps = [f"Rename it in .env: {meant}"] * (name in places.in_dotenv)
            if places.is_in_shell(name):
                steps.append(f'If you meant that one: export {meant}="${name}"; unset {name}')
            yield note(
                _CHECK,
                f"{name} is set, but only {meant} is read",
                ". ".join(steps),
            )


def _ignored(target: Target, values: Mapping[str, str], places: _Places) -> Iterator[Finding]:
    for name in target.ignored_variables():
        problem = f"{target.options} ignores {name}"
        setting = target.source_of("PROD_AWS_ENDPOINT_URL", "endpoint_url")
        yield note(_CHECK, problem, f"Set an endpoint for {target.name} in {setting}.")
    for name in sorted(filter(_is_an_endpoint, values)):
        problem = f"{name} is not read: all services except DynamoDB share one endpoint"
        yield note(
            _CHECK, problem, "Set AWS_ENDPOINT_URL instead, or with --prod PROD_AWS_ENDPOINT_URL."
        )
    if target.is_production and target.settings.profile and target.settings.secret_access_key:
        keys = [name for name in _KEYS if name in values]
        yield note(
            _CHECK,
            "The keys of AWS_PROFILE are not used: AWS_ACCESS_KEY_ID overrides them",
            _sentence(places.removal(keys)),
        )


def _contradicting(values: Mapping[str, str], places: _Places) -> Iterator[Finding]:
    for setting in fields(Settings):
        names = [name for name in setting.metadata["names"] if name in values]
        for other in names[1:]:
            if values[other] == values[names[0]] or other == "AWS_ENDPOINT_URL":  # has other uses
                continue
            problem = f"{other} differs from {names[0]}, which overrides it"
            yield note(_CHECK, problem, _sentence(places.removal([other])))


def _is_an_endpoint(name: str) -> bool:
    """Whether the AWS SDK would read the variable as the endpoint of one service."""
    return name.startswith("AWS_ENDPOINT_URL_") and name not in _NAMES
