"""Which pg_dump fits a server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from unguarded import Database

from core.errors import SettingsError
from core.postgres import find_programs, programs
from core.postgres.health import Greeting
from core.targets.postgres import parse_url

URL = "postgresql://ana@db.example/cruddur"


def made(folder: Path, version: str) -> Path:
    """A folder whose pg_dump says that it is of ``version``."""
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (folder / name).write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("server", "on_path", "options", "chosen"),
    [
        ("15.4 (Debian)", "17.2", "", "17.2"),
        ("16.1", "15.9", "", "16.4"),
        ("18.4", "17.2", "", "18.4"),
        ("17.2", "17.2", "?sslmode=require", "17.2"),
        ("18.4", "17.2", "?sslmode=verify-full", None),
        ("19.0", "17.2", "", None),
    ],
)
def test_one_that_is_no_older_than_the_server_and_has_what_its_url_asks_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: str,
    on_path: str,
    options: str,
    chosen: str | None,
) -> None:
    bundled = [made(tmp_path / version, version) for version in ("16.4", "18.4")]
    monkeypatch.setenv("PATH", f"{made(tmp_path / 'own', on_path)}:/usr/bin:/bin")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(Database, "is_pooled", lambda _: False)
    monkeypatch.setattr(programs, "greet", lambda _: Greeting(server, now))
    db = Database(parse_url(URL + options, "PROD_CONNECTION_URL"))
    if chosen is None:
        with pytest.raises(SettingsError, match="No pg_dump for Postgres"):
            find_programs(db, bundled)
        return
    assert find_programs(db, bundled).major == int(chosen.partition(".")[0])
