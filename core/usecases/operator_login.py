"""Describes the login of the admin UI, in Cognito and in ``secrets.toml``."""

from __future__ import annotations

import json
import os
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.aws import LoginClient
from core.errors import SettingsError
from core.private_files import replace_private_file
from core.settings import Settings, data_folder

_NAMES = {"redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url"}


def secrets_path(settings: Settings) -> Path:
    """The file that describes the login. Of several the last one, which counts most."""
    named = (settings.login_files or "").split(os.pathsep)[-1]
    return data_folder() / (named or ".streamlit/secrets.toml")


def read_login(path: Path) -> Mapping[str, str]:
    """The login in the file; empty if there is no file.

    Raises:
        SettingsError: the file cannot be read, or has other settings, which would be lost.
    """
    try:
        stored = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"Could not read {path}: {error}", "Fix the file or remove it."
        ) from error
    login: Any = stored.get("auth", {})
    if set(stored) - {"auth"} or not isinstance(login, dict) or set(login) - _NAMES:
        raise SettingsError(
            f"{path} has settings that are not of this login",
            "Move it to another place, or write the login by hand: docs/how-to/log-in.md.",
        )
    return {name: str(value) for name, value in login.items()}


def write_login(path: Path, client: LoginClient, redirect_uri: str) -> bool:
    """Write the file, mode 0600; whether something in it changed. The cookies' secret stays."""
    before = read_login(path)
    login = {
        "redirect_uri": redirect_uri,
        "cookie_secret": before.get("cookie_secret") or secrets.token_hex(32),
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "server_metadata_url": client.metadata_url,
    }
    if login == before:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # A JSON string of ASCII is a basic string of TOML.
    lines = [f"{name} = {json.dumps(value)}" for name, value in login.items()]
    replace_private_file(path, "\n".join(["[auth]", *lines, ""]))
    return True
