"""Stored text cannot control a terminal; a pipe gets JSON as it is stored."""

from __future__ import annotations

import ast
import functools
import json
import os
import pty
import re
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from unguarded import Database

from commands import typed
from core.dynamodb.patterns.sends import Draft, start
from core.models import Person
from core.settings import PROJECT_ROOT
from core.targets.postgres import parse_url

from .conftest import hermetic_environment

HANDLE = "a\x1b[2J\u009b2J\u202eb;touch $(id)"
NAME = "Ana\x1b]0;title\x07\u2066\u200b"
TEXT = "hi\x1b[8m\u009b\u202e\x7f there"
OURS = re.compile(r"\x1b\[[0-9;]*m")
"""The bold head of a table."""


@pytest.fixture
def env(postgres_env: dict[str, str], table_env: dict[str, str], messages, run_invoke):
    """Stores whose users and messages try to control a terminal."""
    env = table_env | postgres_env
    for task in ("db.create", "db.schema-load", "db.seed"):
        run_invoke(task, env=env)
    with Database(parse_url(env["CONNECTION_URL"], "CONNECTION_URL")) as db:
        steering = db.query_commit(
            "INSERT INTO public.users (handle, display_name, email)"
            " VALUES (%(handle)s, %(name)s, 'a@example.com') RETURNING uuid",
            {"handle": HANDLE, "name": NAME},
        )
        bayko = db.query_value("SELECT uuid FROM public.users WHERE handle = 'bayko'")
    ana, ben = Person(str(steering), HANDLE, NAME), Person(str(bayko), "bayko", "Bayko")
    start(messages, Draft(ana, ben, TEXT))
    return env


@pytest.fixture
def in_a_terminal(commands: typed.Commands, tmp_path: Path) -> Callable[..., str]:
    """``in_a_terminal("doctor", env={…})``: all that a command printed to a terminal."""

    def run(*args: str, env: Mapping[str, str]) -> str:
        environment = hermetic_environment(tmp_path) | {"TERM": "xterm", "COLUMNS": "200"} | env
        controller, terminal = pty.openpty()

        def type_it() -> None:
            try:
                with Path(os.devnull).open() as nothing:
                    commands.run_on([nothing.fileno(), terminal, terminal], args, environment)
            finally:
                os.close(terminal)

        typing = threading.Thread(target=type_it)
        typing.start()
        sent = b"".join(iter(functools.partial(_read, controller), b""))
        typing.join()
        os.close(controller)
        output = sent.decode(env.get("PYTHONIOENCODING", "utf-8")).replace("\r\n", "\n")
        assert "Traceback" not in output, output
        return output

    return run


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux: all other processes have closed it
        return b""


LIST, GET = "ddb.patterns.list-conversations", "ddb.patterns.get-conversation"
SEND = ("ddb.patterns.create-message", "--user", "bayko", "--with", HANDLE, "--message", TEXT)
COMMANDS = [
    (LIST, "--user", "bayko"),
    (LIST, "--user", "bayko", "--json"),
    (GET, "--user", "bayko", "--with", HANDLE),
    (GET, "--user", "bayko", "--with", HANDLE, "--json"),
    (GET, "--user", "londo", "--with", HANDLE),
    (LIST, "--user", HANDLE + "x"),
    (LIST, "--user", "nosuch\x1b[2J\u202e"),
    SEND,
    (*SEND, "--json"),
    ("--dry", *SEND),
    ("ddb.scan",),
    ("ddb.scan", "--json"),
    ("ddb.scan", "--raw"),
    ("ddb.export",),
    ("ddb.export", "--json"),
    ("ddb.verify",),
    ("--dry", "db.schema-load"),
    ("doctor",),
    ("no-such-task\x1b[2J\u202e",),
]


def test_stored_or_typed_text_cannot_control_a_terminal(env, in_a_terminal) -> None:
    sent = {command: in_a_terminal(*command, env=env) for command in COMMANDS}
    for command, output in sent.items():
        assert output.strip(), command
        assert OURS.sub("", output).replace("\n", "").isprintable(), (command, ascii(output))
    output = sent[LIST, "--user", "bayko", "--json"]
    (conversation,) = json.loads(output[output.index("[") : output.rindex("]") + 1])
    assert (conversation["message"], conversation["user_handle"]) == (TEXT, HANDLE)


def test_a_pipe_gets_json_as_it_is_stored_and_a_shell_each_value_as_one_word(
    env, run_invoke
) -> None:
    result = run_invoke(LIST, "--user", "bayko", "--json", env=env)
    assert json.loads(result.stdout)[0]["message"] == TEXT
    assert "\u202e" in result.stdout, "nothing but what JSON itself must escape"
    result = run_invoke(GET, "--user", "londo", "--with", HANDLE, env=env)
    command = result.stderr.partition("Start one: ")[2].strip()
    script = f'invoke() {{ printf "%s\\0" "$@"; }}; {command}'
    words = subprocess.run(["/bin/bash", "-c", script], capture_output=True, check=True).stdout
    assert words.decode().split("\0")[3:5] == ["--with", HANDLE]


UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_table_fits_the_terminal(seeded, in_a_terminal, width: int, encoding: str) -> None:
    env = seeded | {"COLUMNS": str(width), "PYTHONIOENCODING": encoding}
    output = OURS.sub("", in_a_terminal(LIST, "--user", "bayko", env=env))
    lines = output[output.index(" UTC") :].splitlines()
    rule = lines[1]
    assert set(rule) == {" ", "─" if encoding == "utf-8" else "-"}
    rows = [line for line in lines if not re.match("[A-Z0-9]", line)]
    assert max(map(len, rows)) <= width
    assert len(rule) == max(len(row) for row in rows)
    assert bool(UUID.search(output)) is (width == 200)
    assert ("Not shown" in output) is (width != 200)


def test_production_and_problems_are_red_unless_colours_are_off(seeded, in_a_terminal) -> None:
    production = {
        "PROD_CONNECTION_URL": seeded["CONNECTION_URL"],
        "PROD_AWS_ENDPOINT_URL": seeded["AWS_ENDPOINT_URL"],
        "DDB_MESSAGE_TABLE": seeded["DDB_MESSAGE_TABLE"],
    }
    red = in_a_terminal("db.query", "--prod", "--sql", "SELECT 1", env=production)
    first, last = red.splitlines()
    assert re.fullmatch(r"\x1b\[31mtarget: production · .*\x1b\[0m", first)
    assert re.fullmatch(r"\x1b\[31mRefused db\.query: .*\x1b\[0m", last)
    for off in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = in_a_terminal("db.query", "--sql", "SELEC 1", env=seeded | off)
        assert "\x1b" not in plain
        assert plain.splitlines()[-1].startswith("--sql begins with 'selec'")


@pytest.mark.parametrize("words", [("db.sed",), ("status", "--qqq")])
def test_a_name_that_does_not_exist_is_red_like_other_errors(in_a_terminal, words) -> None:
    line = in_a_terminal(*words, env={"NO_COLOR": "1"})
    assert "\x1b" not in line
    assert in_a_terminal(*words, env={}) == f"\x1b[31m{line.strip()}\x1b[0m\n"


PRINTERS = {"answers.py", "tables.py", "terminal.py", "standard_streams.py"}
GROUPS = sorted(
    path for path in (PROJECT_ROOT / "task_groups").rglob("*.py") if path.name not in PRINTERS
)


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: path.name)
def test_no_task_group_prints_without_the_answers_module(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        assert not (isinstance(node, ast.Name) and node.id == "print"), node.lineno
        assert not (isinstance(node, ast.Attribute) and node.attr in ("write", "writelines"))
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("rich"), node.lineno
