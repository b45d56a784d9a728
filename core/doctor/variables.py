"""Variables that are set and do not do what whoever set them hopes for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from fnmatch import fnmatchcase

from core.doctor.findings import Finding, bad, note, ok
from core.settings import Settings, variables as variables_set
from core.targets import Target

CLOSENESS = 0.8
"""How alike two names are, of 1, for one to count as the other misspelt."""

# Other programs' own, which look like ours.
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
_TOGETHER = (
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("DB_SG_ID", "DB_SG_RULE_ID"),
    ("user1_name", "user1_email", "user1_username"),
    ("user2_name", "user2_email", "user2_username"),
)
_CHECK = "variables"


def variables(target: Target) -> Iterator[Finding]:
    """What is set, in the environment and in ``.env``."""
    yield from look(target, variables_set(), in_dotenv=variables_set({}))


def look(
    target: Target, values: Mapping[str, str], *, in_dotenv: Collection[str] = ()
) -> Iterator[Finding]:
    """What there is to say of the variables in ``values``; the values themselves never are."""
    values = {name: value.strip() for name, value in values.items() if value.strip()}
    found = [
        *_incomplete(values),
        *_misspelt(values, in_dotenv),
        *_contradicting(values),
        *_ignored(target, values),
    ]
    if not found:
        used = sorted(values.keys() & _NAMES)
        found = [ok(_CHECK, f"set: {', '.join(used)}" if used else "none is set, none is needed")]
    yield from found


_NAMES = {name for setting in fields(Settings) for name in setting.metadata["names"]}


def _incomplete(values: Mapping[str, str]) -> Iterator[Finding]:
    for names in _TOGETHER:
        missing = [name for name in names if name not in values]
        if 0 < len(missing) < len(names):
            there = ", ".join(name for name in names if name in values)
            yield bad(
                _CHECK,
                f"{there} is set without {' and '.join(missing)}",
                f"Set all of them, or: unset {there.replace(',', '')}",
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
                f"{name} is set and nothing here reads it; {meant} is read",
                f"Rename it in .env: {meant}" if name in in_dotenv else f"If it is meant: {rename}",
            )


def _ignored(target: Target, values: Mapping[str, str]) -> Iterator[Finding]:
    for name in target.ignored_variables():
        told = f"--prod ignores {name}"
        yield note(_CHECK, told, "An endpoint for production: PROD_AWS_ENDPOINT_URL")
    for name in sorted(filter(_is_an_endpoint, values)):
        told = f"{name} is not read: one endpoint serves all services but DynamoDB"
        yield note(_CHECK, told, "Use AWS_ENDPOINT_URL; with --prod, PROD_AWS_ENDPOINT_URL.")
    if target.is_production and target.settings.profile and target.settings.secret_access_key:
        yield note(
            _CHECK,
            "AWS_PROFILE's keys are not used: AWS_ACCESS_KEY_ID is set, and wins",
            "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
        )


def _contradicting(values: Mapping[str, str]) -> Iterator[Finding]:
    for setting in fields(Settings):
        names = [name for name in setting.metadata["names"] if name in values]
        for other in names[1:]:
            if values[other] == values[names[0]] or other == "AWS_ENDPOINT_URL":  # has other uses
                continue
            told = f"{other} says something else than {names[0]}, which wins"
            yield note(_CHECK, told, f"unset {other}")


def _is_an_endpoint(name: str) -> bool:
    """Whether the AWS SDK would take the variable for one service's endpoint; ours may not."""
    return name.startswith("AWS_ENDPOINT_URL_") and name not in _NAMES
