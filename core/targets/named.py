"""The targets that ``targets.toml`` names: places on AWS besides, or instead of, the variables'.

::

    [staging]
    connection_url = "postgresql://user@host/cruddur"
    profile = "cruddur-staging"
    region = "eu-west-1"
    table = "cruddur-messages-staging"

No target of the file is ever the local one: each counts as production, whatever it is called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from core.errors import SettingsError, UsageError
from core.settings import Settings
from core.targets.production import Environment

FIELDS = {
    "connection_url": "prod_connection_url",
    "connection_iam": "prod_connection_iam",
    "connection_secret_arn": "prod_secret_arn",
    "ca_bundle": "prod_ca_bundle",
    "endpoint_url": "prod_endpoint_url",
    "profile": "profile",
    "region": "region",
    "table": "table_name",
    "user_pool_id": "user_pool_id",
    "security_group_id": "security_group_id",
    "security_group_rule_id": "security_group_rule_id",
}
"""The keys of a section, and the setting that each gives its value to."""

_OF_THE_SDK = ("profile", "region")
"""Left out of a section, they are what the AWS tools find."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class NamedTarget:
    """A section of the file. ``values`` are settings, by the name of their field."""

    name: str
    environment: str
    values: Mapping[str, str] = field(default_factory=dict)

    def applied_to(self, settings: Settings) -> Settings:
        """``settings`` for this target: of its own places, it has what its section says.

        Only ``production`` takes what its section leaves out from the variables, which are
        production's. For another target they would lead to production.
        """
        values: dict[str, Any] = dict(self.values)
        if self.name == Environment.PRODUCTION:
            self._refuse_another_url(settings)
        else:
            others = set(FIELDS.values()) - set(_OF_THE_SDK)
            values = dict.fromkeys(others - values.keys(), None) | values
        settings = replace(settings, **values)
        return without_keys(settings) if "profile" in self.values else settings

    def _refuse_another_url(self, settings: Settings) -> None:
        url = self.values.get("prod_connection_url")
        if url and settings.prod_connection_url not in (None, url):
            raise SettingsError(
                "PROD_CONNECTION_URL and connection_url of [production] differ",
                "Unset the variable, or remove the line.",
            )


def without_keys(settings: Settings) -> Settings:
    """``settings`` without AWS keys: they would be used instead of those of a chosen profile."""
    return replace(settings, access_key_id=None, secret_access_key=None, session_token=None)


def read_targets(path: Path) -> dict[str, NamedTarget]:
    """The targets of the file, by name; none if there is no file.

    Raises:
        SettingsError: it cannot be read, or something in it has no meaning.
    """
    import tomllib

    try:
        parsed = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"Could not read {path}: {error.strerror}", "Fix the file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # The parser's own text may quote a password.
        place = re.search(r"\(at [^)]*\)", str(error))
        problem = f"{path} is not valid TOML {place[0] if place else ''}".strip()
        raise SettingsError(problem, "Fix that line.") from None
    return {name: _target(path, name, section) for name, section in parsed.items()}


def _target(path: Path, name: str, section: Any) -> NamedTarget:
    where = f"[{name}] in {path}"
    if not isinstance(section, dict):
        raise SettingsError(f"{name} in {path} is in no section", "Write [NAME] above it.")
    if name == Environment.LOCAL or not _NAME.fullmatch(name):
        raise SettingsError(
            f"{where} cannot be the name of a target",
            "Use small letters, digits and dashes. The target local is not in this file.",
        )
    values = dict(section)
    environment = values.pop("environment", name)
    _check_environment(where, name, environment)
    for key, value in values.items():
        _check_value(where, key, value)
    if name != Environment.PRODUCTION and "table" not in values:
        raise SettingsError(f"{where} has no table", "Name its DynamoDB table: table = NAME.")
    texts = {FIELDS[key]: _text(value) for key, value in values.items()}
    return NamedTarget(name, environment, texts)


def _check_environment(where: str, name: str, environment: Any) -> None:
    is_name = isinstance(environment, str) and _NAME.fullmatch(environment)
    if not is_name or environment == Environment.LOCAL:
        raise SettingsError(
            f"{where} has the environment {environment!r}",
            "A target of this file counts as production: name another environment than local.",
        )
    if name == Environment.PRODUCTION and environment != name:
        raise SettingsError(
            f"{where} has the environment {environment!r}", "Give the section another name."
        )


def _check_value(where: str, key: str, value: Any) -> None:
    if key not in FIELDS:
        close = get_close_matches(key, (*FIELDS, "environment"), n=1)
        hint = f"Did you mean {close[0]}?" if close else f"The keys are: {', '.join(FIELDS)}."
        raise SettingsError(f"{where} has the unknown key {key}", hint)
    if key == "connection_iam" and isinstance(value, bool):
        return
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise SettingsError(f"{key} of {where} is not a text", f'Write it like {key} = "…".')


def _text(value: str | bool) -> str:
    return ("1" if value else "0") if isinstance(value, bool) else value.strip()


def find_target(settings: Settings, name: str) -> NamedTarget | None:
    """The target ``name`` of the file; None for production where the file does not have it.

    Raises:
        UsageError: there is no such target.
        SettingsError: see :func:`read_targets`.
    """
    targets = read_targets(settings.targets_path)
    if name in targets or name == Environment.PRODUCTION:
        return targets.get(name)
    names = [*Environment, *(known for known in targets if known != Environment.PRODUCTION)]
    close = get_close_matches(name, names, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(names)}."
    raise UsageError(f"There is no target {name!r} in {settings.targets_path}", hint)


def known_environments(settings: Settings) -> list[str]:
    """The environments that a marker may name: local, production, and those of the file."""
    targets = read_targets(settings.targets_path)
    return [*dict.fromkeys([*Environment, *(target.environment for target in targets.values())])]
