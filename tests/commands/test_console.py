"""``invoke console``: Python with the stores at hand."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from commands.conftest import hermetic_environment
from core.settings import PROJECT_ROOT


def test_runs_what_it_is_given(run_invoke, seeded) -> None:
    script = (
        "page = conversations.list_inbox(stores.db, stores.table, 'bayko', limit=5)\n"
        "print(page.entries[0].other.handle, models.Message.__name__, target.name)\n"
    )
    result = run_invoke("console", env=seeded, stdin=script)
    assert (result.stdout, result.returncode) == ("andrewbrown Message local\n", 0)
    assert result.stderr.startswith("target: local · Postgres ")


def test_an_error_of_the_project_is_one_line(run_invoke, seeded) -> None:
    result = run_invoke("console", env=seeded, stdin="postgres.find_person(stores.db, 'nobody')")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("There is no user with the handle 'nobody'")


def test_another_error_is_shown_with_its_line(commands, seeded, tmp_path: Path) -> None:
    environment = hermetic_environment(tmp_path) | seeded
    result = commands.run(("console",), environment, "a = 1\na / 0\n")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert '"<standard input>", line 2' in result.stderr


@pytest.fixture
def production(seeded: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {
        "PROD_CONNECTION_URL": seeded["CONNECTION_URL"],
        "PROD_AWS_ENDPOINT_URL": seeded["AWS_ENDPOINT_URL"],
        "DDB_MESSAGE_TABLE": seeded["DDB_MESSAGE_TABLE"],
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CRUDDUR_AUDIT_LOG": str(tmp_path / "audit.jsonl"),
    }


SENDS = """
group = conversations.find_conversations(stores.db, stores.table, "bayko", "andrewbrown")[0]
conversations.send_message(stores.db, stores.table, "bayko", group, "from the console")
"""


def test_on_production_it_reads_and_no_more(run_invoke, production, tmp_path: Path) -> None:
    refused = run_invoke("console", "--prod", env=production, stdin=SENDS)
    assert "no reason was given" in refused.stderr
    result = run_invoke("console", "--prod", "--reason", "ticket 7", env=production, stdin=SENDS)
    assert result.returncode == 1
    assert "opened for reading" in result.stderr.splitlines()[-1]
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [(line["what"], line["purpose"]) for line in lines] == [("console", "reading")] * 2
    assert lines[1]["outcome"] == "failed: NotPermittedError"


def test_on_production_it_writes_once_the_name_is_typed(run_invoke, production) -> None:
    refused = run_invoke("console", "--prod", "--write", env=production, stdin=SENDS)
    assert "the name of the table was not typed" in refused.stderr
    name = production["DDB_MESSAGE_TABLE"]
    typed = ("console", "--prod", "--write", "--confirm", name)
    assert run_invoke(*typed, env=production, stdin=SENDS).returncode == 0


def test_in_a_terminal_it_talks(seeded, tmp_path: Path) -> None:
    """What is typed is answered, an error is one line, and what is stored moves no cursor."""
    typed = 'print("\\x1b[2J" + target.name)\npostgres.find_person(stores.db, "nobody")\nexit()\n'
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "invoke", "console"],
        cwd=PROJECT_ROOT,
        env=hermetic_environment(tmp_path) | seeded | {"TERM": "dumb"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    ) as process:
        os.close(slave)
        os.write(master, typed.encode())
        shown = b""
        while select.select([master], [], [], 30)[0]:
            try:
                shown += os.read(master, 4096)
            except OSError:  # it has ended
                break
    os.close(master)
    text = shown.decode()
    assert process.returncode == 0, text
    assert "stores.db and stores.table" in text
    assert "\\x1b[2Jlocal" in text
    assert "There is no user with the handle 'nobody'" in text
    assert "Traceback" not in text
