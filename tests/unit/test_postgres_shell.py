"""The interactive shell gets the address as an argument and the password otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.postgres.shell import find_shell
from core.targets.postgres import parse_url

ADDRESS = parse_url(
    "postgresql://u:hunter2@h:1/d?sslmode=require&sslpassword=hunter2", "CONNECTION_URL"
)


def programs(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_no_secret_is_an_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path, "psql"))
    shell = find_shell(ADDRESS, None)
    assert shell.password == "hunter2"
    assert "hunter2" not in " ".join(shell.argv)
    assert "hunter2" not in f"{shell} {shell!r}"
    assert str(shell).startswith("PGPASSWORD=*** ")
    assert parse_url(shell.argv[1], "argv").describe() == "d at h:1 as u"


@pytest.mark.parametrize(
    ("installed", "bundled", "chosen"),
    [
        (("psql", "pgcli"), "/wheel/psql", "psql"),
        (("pgcli",), "/wheel/psql", "/wheel/psql"),
        (("pgcli",), None, "pgcli"),
    ],
)
def test_the_installed_psql_comes_before_the_bundled_one_and_pgcli(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    installed: tuple[str, ...],
    bundled: str | None,
    chosen: str,
) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path, *installed))
    address = parse_url("postgresql://u@h/d", "CONNECTION_URL")
    shell = find_shell(address, Path(bundled) if bundled else None)
    assert shell.argv[0] in (chosen, str(tmp_path / chosen))


def test_without_any_shell_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="pgcli"):
        find_shell(ADDRESS, None)


def test_the_bundled_psql_is_not_taken_for_a_connection_with_tls(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=r"has no TLS.*postgresql-client"):
        find_shell(ADDRESS, Path("/wheel/psql"))


@pytest.mark.parametrize(("program", "flags"), [("psql", 1), ("pgcli", 0)])
def test_psql_without_a_terminal_stops_at_the_first_error(
    tmp_path, monkeypatch, program, flags
) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path, program))
    shell = find_shell(ADDRESS, None, stops_at_errors=True)
    assert shell.argv.count("--set=ON_ERROR_STOP=1") == flags
    assert not any("ON_ERROR_STOP" in word for word in find_shell(ADDRESS, None).argv)


def test_a_password_that_is_looked_up_goes_the_same_way(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path, "psql"))
    address = replace(
        parse_url("postgresql://u@h/d", "PROD_CONNECTION_URL"), password=lambda _: "hunter2"
    )
    shell = find_shell(address, None)
    assert (shell.password, "hunter2" in f"{shell.argv} {shell} {address!r}") == ("hunter2", False)
