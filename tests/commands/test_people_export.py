"""people.export: all that both stores hold of a user, for a program and for a person."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from pathlib import Path

import pytest

from commands.test_ddb_patterns import say

BAYKO = ("--user", "bayko")


@pytest.fixture
def talked(run_invoke, table_env) -> dict[str, str]:
    say(run_invoke, table_env, "hello <b>there</b>")
    say(run_invoke, table_env, "hi", user="bayko", other="andrewbrown")
    gone = say(run_invoke, table_env, "a password", user="bayko", other="londo")
    options = ("--conversation", gone["message_group_uuid"], "--message-uuid", gone["message_uuid"])
    confirmed = ("--confirm", table_env["DDB_MESSAGE_TABLE"], "--reason", "leaked")
    removed = run_invoke("ddb.patterns.remove-message", *options, *confirmed, env=table_env)
    assert removed.returncode == 0, removed.stderr
    return table_env


def export(run_invoke, env, path: Path, *options: str) -> str:
    result = run_invoke("people.export", *BAYKO, "--file", str(path), *options, env=env)
    assert result.returncode == 0, result.stderr
    return result.stdout


def texts(folder: Path) -> list[str]:
    lines = [
        json.loads(line)
        for file in (folder / "conversations").glob("*.jsonl")
        for line in file.read_text().splitlines()
    ]
    return sorted(line["message"] for line in lines)


def test_a_folder_holds_everything_and_says_so(run_invoke, talked, tmp_path) -> None:
    folder = tmp_path / "bayko"
    assert "2 conversations with 3 messages" in export(run_invoke, talked, folder)
    assert texts(folder) == ["A message was removed", "hello <b>there</b>", "hi"]
    assert json.loads((folder / "profile.json").read_text())["handle"] == "bayko"
    assert len((folder / "inbox.jsonl").read_text().splitlines()) == 2
    pages = "".join(page.read_text() for page in folder.rglob("*.html"))
    assert "hello &lt;b&gt;there&lt;/b&gt;" in pages
    assert "<b>" not in pages
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["counts"]["messages"] == 3
    for name, facts in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == facts["sha256"]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert "a password" not in "".join(path.read_text() for path in files)


def test_own_messages_alone_leave_out_those_of_others(run_invoke, talked, tmp_path) -> None:
    export(run_invoke, talked, tmp_path / "own", "--own-only")
    assert texts(tmp_path / "own") == ["hi"]


def test_own_messages_alone_leave_out_every_preview(run_invoke, talked, tmp_path) -> None:
    say(run_invoke, talked, "my answer")
    export(run_invoke, talked, tmp_path / "all")
    assert "my answer" in (tmp_path / "all" / "inbox.jsonl").read_text()
    export(run_invoke, talked, tmp_path / "own", "--own-only")
    files = [path for path in (tmp_path / "own").rglob("*") if path.is_file()]
    assert "my answer" not in "".join(path.read_text() for path in files)
    rows = (tmp_path / "own" / "inbox.jsonl").read_text().splitlines()
    assert [("preview" in json.loads(row)) for row in rows] == [False, False]


def test_a_zip_holds_the_same_files(run_invoke, talked, tmp_path) -> None:
    path = tmp_path / "bayko.zip"
    export(run_invoke, talked, path)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    assert {"manifest.json", "profile.json", "inbox.jsonl", "index.html"} <= names
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.glob("bayko*")] == ["bayko.zip"]


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        ((), 2, "--user"),
        (BAYKO, 2, "--file"),
        (("--user", "nobody", "--file", "{folder}/x"), 1, "no user with the handle"),
        ((*BAYKO, "--file", "{folder}"), 1, "exists"),
        ((*BAYKO, "--file", "."), 1, "exists"),
        ((*BAYKO, "--file", "x" * 300), 1, "Could not write"),
        ((*BAYKO, "--file", "/proc/nowhere/x"), 1, "Could not write"),
    ],
)
def test_bad_input_is_one_line(run_invoke, table_env, tmp_path, options, code, complaint) -> None:
    words = [option.format(folder=tmp_path) for option in options]
    result = run_invoke("people.export", *words, env=table_env)
    assert (result.returncode, complaint in result.stderr.splitlines()[-1]) == (code, True)
