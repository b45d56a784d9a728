"""The check of variables that are set but have no effect, or not the intended one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from fnmatch import fnmatchcase

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
    yield from look(target, variables_set(), in_dotenv=variables_set({}))


def look(
    target: Target, values: Mapping[str, str], *, in_dotenv: Collection[str] = ()
) -> Iterator[Finding]:
    """Findings about the variables in ``values``. They never contain the values themselves."""
    values = {name: value.strip() for name, value in values.items() if value.strip()}
    findings = [
        *_incomplete(values, in_dotenv),
        *_misspelt(values, in_dotenv),
        *_contradicting(values, in_dotenv),
        *_ignored(target, values, in_dotenv),
    ]
    if not findings:
        used = sorted(values.keys() & _NAMES)
        findings = [
            ok(_CHECK, f"Set: {', '.join(used)}" if used else "None is set, and none is needed")
        ]
    yield from findings


_NAMES = {name for setting in fields(Settings) for name in setting.metadata["names"]}


def _removal(names: Collection[str], in_dotenv: Collection[str]) -> str:
    """How to remove the variables: a shell cannot unset what ``.env`` sets."""
    lines = " and ".join(name for name in names if name in in_dotenv)
    others = " ".join(name for name in names if name not in in_dotenv)
    steps = [f"remove {lines} from .env"] * bool(lines) + [f"run: unset {others}"] * bool(others)
    return ", and ".join(steps)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _incomplete(values: Mapping[str, str], in_dotenv: Collection[str]) -> Iterator[Finding]:
    for names in _TOGETHER:
        missing = [name for name in names if name not in values]
        if 0 < len(missing) < len(names):
            present = [name for name in names if name in values]
            yield bad(
                _CHECK,
                f"{', '.join(present)} is set without {' and '.join(missing)}",
                f"Set all of them, or {_removal(present, in_dotenv)}",
            )


def _misspelt(values: Mapping[str, str], in_dotenv: Collection[str]) -> Iterator[Finding]:
    spelt = {name.casefold(): name for name in _NAMES}
    for name in sorted(values.keys() - _NAMES):
        if _is_an_endpoint(name) or any(fnmatchcase(name, other) for other in _OTHERS):
            continue
        close = get_close_matches(name.casefold(), spelt, n=1, cutoff=CLOSENESS)
        if close:
            meant = spelt[close[0]]
            rename = f'export {meant}="${name}"; unset {name}'
            yield note(
                _CHECK,
                f"{name} is set, but only {meant} is read",
                f"Rename it in .env: {meant}"
                if name in in_dotenv
                else f"If you meant that one: {rename}",
            )


def _ignored(
    target: Target, values: Mapping[str, str], in_dotenv: Collection[str]
) -> Iterator[Finding]:
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
            _sentence(_removal(keys, in_dotenv)),
        )


def _contradicting(values: Mapping[str, str], in_dotenv: Collection[str]) -> Iterator[Finding]:
    for setting in fields(Settings):
        names = [name for name in setting.metadata["names"] if name in values]
        for other in names[1:]:
            if values[other] == values[names[0]] or other == "AWS_ENDPOINT_URL":  # has other uses
                continue
            problem = f"{other} differs from {names[0]}, which overrides it"
            yield note(_CHECK, problem, _sentence(_removal([other], in_dotenv)))


def _is_an_endpoint(name: str) -> bool:
    """Whether the AWS SDK would read the variable as the endpoint of one service."""
    return name.startswith("AWS_ENDPOINT_URL_") and name not in _NAMES
