"""invoke audit"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.access import AuditEntry, AuditLog

ANA, BEN = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Three lines: two people, two targets, two days."""
    log = AuditLog(tmp_path / "audit.jsonl")
    for day, user, target, about, why in (
        (1, "olga", "production", ANA, "ticket 1"),
        (1, "ivan", "local", BEN, ""),
        (2, "olga", "production", BEN, "ticket 2"),
    ):
        log.write(
            AuditEntry(
                at=f"2026-03-0{day}T12:00:00.000000+00:00",
                actor={"user": user, "host": "ops"},
                target=target,
                stores={"dynamodb": f"table of {target}"},
                what="inbox opened",
                purpose="reading",
                about=(about,),
                why=why,
            )
        )
    return {"CRUDDUR_AUDIT_LOG": str(log.path)}


def rows(run_invoke, env, *options: str) -> list[dict]:
    result = run_invoke("audit", "--json", *options, env=env)
    assert result.returncode == 0
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("options", "whys"),
    [
        ([], ["ticket 1", "", "ticket 2"]),
        (["--actor", "olga"], ["ticket 1", "ticket 2"]),
        (["--about", BEN], ["", "ticket 2"]),
        (["--about", BEN.replace("-", "")], ["", "ticket 2"]),
        (["--target", "production"], ["ticket 1", "ticket 2"]),
        (["--target", "table of local"], [""]),
        (["--day", "2026-03-02"], ["ticket 2"]),
        (["--actor", "olga", "--about", BEN, "--day", "2026-03-01"], []),
    ],
)
def test_lines_are_chosen_by_person_user_place_and_day(run_invoke, env, options, whys) -> None:
    assert [row["why"] for row in rows(run_invoke, env, *options)] == whys


def test_a_person_gets_a_table(run_invoke, env) -> None:
    result = run_invoke("audit", env=env)
    assert "2026-03-01 12:00:00" in result.stdout
    assert "ticket 2" in result.stdout
    assert "target:" not in result.stderr  # it opens no store


def test_without_a_file_it_says_so(run_invoke, tmp_path) -> None:
    env = {"CRUDDUR_AUDIT_LOG": str(tmp_path / "none.jsonl")}
    result = run_invoke("audit", env=env)
    assert "none.jsonl" in result.stderr
    assert result.returncode == 0


def test_a_damaged_line_is_named(run_invoke, env) -> None:
    with Path(env["CRUDDUR_AUDIT_LOG"]).open("a") as file:
        file.write("not JSON\n")
    result = run_invoke("audit", env=env)
    assert "line 4" in result.stderr
    assert result.returncode == 1


def test_an_invalid_day_is_refused(run_invoke, env) -> None:
    result = run_invoke("audit", "--day", "yesterday", env=env)
    assert "yesterday" in result.stderr
    assert result.returncode == 2


def test_a_handle_is_refused_as_the_user(run_invoke, env) -> None:
    result = run_invoke("audit", "--about", "andrewbrown", env=env)
    assert "'andrewbrown' is not a user's uuid" in result.stderr
    assert result.returncode == 2
