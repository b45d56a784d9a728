"""The help of a task: what it says, and that its example can be typed."""

from __future__ import annotations

import json
import re
import shlex
import uuid
from pathlib import Path

import pytest
from access.design import TASKS as DESIGN

import tasks
from commands import typed
from commands.conftest import hermetic_environment
from core.aws.clients import make_client
from core.postgres import DEFAULT_TIMEOUT_S
from core.settings import Settings
from core.targets import resolve
from task_groups.examples import EXAMPLES
from task_groups.shared_options import VALUES
from task_groups.task_help import changes_something, help_lines

NAMES = sorted(tasks.ns.task_names)
WIDTHS = (60, 80, 200)


def help_of(name: str, width: int = 80) -> list[str]:
    return list(help_lines(name, tasks.ns[name], "invoke", width))


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_task(name: str) -> None:
    lines = help_of(name)
    assert lines[0] == f"Usage: invoke {name} [--options]"
    assert "Example:" in lines
    assert f"  invoke {EXAMPLES[name]}" in lines
    flags = [match for line in lines if (match := re.match(r"  (--[a-z-]+)(=[A-Z]+)?   ", line))]
    options = {arg.name.strip("_").replace("_", "-"): arg for arg in tasks.ns[name].get_arguments()}
    shown = {flag[1][2:]: flag[2] for flag in flags}
    assert shown.keys() - {"dry"} == options.keys()
    for option, argument in options.items():
        assert bool(shown[option]) is argument.takes_value
        assert argument.name in VALUES or not argument.takes_value
    assert "STRING" not in "\n".join(lines)
    for width in WIDTHS:
        texts = [line for line in help_of(name, width) if not line.startswith("  invoke ")]
        assert max(map(len, texts)) <= width


OPTIONS = [
    pytest.param(name, argument.name, id=f"{name}-{argument.name}")
    for name in NAMES
    for argument in tasks.ns[name].get_arguments()
]


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_the_help_of_an_option_says_what_its_value_is_and_its_default(
    name: str, option: str
) -> None:
    """The default is the one in the signature of the task, or else a sentence about it."""
    task = tasks.ns[name]
    (argument,) = (one for one in task.get_arguments() if one.name == option)
    shown, default = argument.help, task.argspec(task.body).parameters[option].default
    assert shown
    assert shown.endswith(".")
    if isinstance(default, str) and default:
        assert shown.endswith(f" {default} unless given.")
        assert shown.count("unless given") == 1
    elif argument.takes_value and VALUES[option] in ("N", "SECONDS"):
        assert "unless given" in shown.lower()


def test_the_help_of_a_query_has_the_timeout_that_postgres_gets() -> None:
    assert f" {DEFAULT_TIMEOUT_S} unless given." in str(tasks.ns["db.query"].help["timeout"])


def test_every_example_is_of_a_task() -> None:
    assert list(EXAMPLES) == NAMES


@pytest.mark.parametrize("name", sorted({row.name for row in DESIGN if row.changes_something}))
def test_a_task_that_changes_something_names_dry(name: str) -> None:
    assert any(line.startswith("  --dry ") for line in help_of(name))


@pytest.mark.parametrize(
    "words",
    [("--help", "ddb.drop"), ("ddb.drop", "--help"), ("ddb.drop", "-h"), ("-h", "ddb.drop")],
)
def test_invoke_prints_it(run_invoke, words: tuple[str, ...]) -> None:
    result = run_invoke(*words, env={"COLUMNS": "80"})
    assert (result.stdout.splitlines(), result.returncode) == (help_of("ddb.drop"), 0)


# The examples, typed

FOR_REAL = {"db.dump", "ddb.export", "people.export", "ddb.patterns.export-conversation"}
FOR_REAL |= {"db.generate-migration", "lambda.package"}
"""Tasks that change no store, and whose example writes into a folder of the test."""

NEVER_FOR_REAL = {"admin", "bench", "lint", "test", "console"}
MAY_FIND_PROBLEMS = {"doctor", "ddb.verify"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    (folder / "users.csv").write_text("handle,display_name,email\nnew,New,new@example.com\n")
    return folder


@pytest.fixture(scope="module")
def world(engines, seeded_database_url, folder: Path, commands: typed.Commands) -> dict[str, str]:
    """The environment of all examples: stores with a conversation, as local ones and production."""
    table = f"messages-{uuid.uuid4().hex[:12]}"
    settings = Settings(endpoint_url=engines.aws_endpoint_url, table_name=table)
    client = make_client(resolve(settings).dynamodb, "cognito-idp")
    pool = client.create_user_pool(PoolName=table)["UserPool"]["Id"]
    client.close()
    world = hermetic_environment(folder) | {
        "CONNECTION_URL": seeded_database_url,
        "AWS_ENDPOINT_URL": engines.aws_endpoint_url,
        "PROD_CONNECTION_URL": seeded_database_url,
        "PROD_AWS_ENDPOINT_URL": engines.aws_endpoint_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "DDB_MESSAGE_TABLE": table,
        "AWS_COGNITO_USER_POOL_ID": pool,
        "CRUDDUR_AUDIT_LOG": str(folder / "audit.jsonl"),
    }
    for task in ("ddb.schema-load", "ddb.seed"):
        assert commands.run((task,), world, "").returncode == 0
    commands.run(("db.dump", "--file", str(folder / "cruddur.dump")), world, "")
    commands.run(("ddb.export", "--file", str(folder / "messages.jsonl")), world, "")
    return world


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_task_can_be_typed(
    commands: typed.Commands, world: dict[str, str], folder: Path, name: str
) -> None:
    words = shlex.split(EXAMPLES[name])
    if "UUID" in words:
        pair = ("--user", "bayko", "--with", "andrewbrown", "--limit", "1", "--json")
        shown = commands.run(("ddb.patterns.get-conversation", *pair), world, "").stdout
        message = json.loads(shown)[0]
        ids = iter([message["message_group_uuid"], message["message_uuid"]])
        words = [next(ids) if word == "UUID" else word for word in words]
    if "--file" in words:
        place = words.index("--file") + 1
        is_there = (folder / words[place]).exists() and name in FOR_REAL
        words[place] = str(folder / (f"{name}-{words[place]}" if is_there else words[place]))
    if name not in FOR_REAL and (name in NEVER_FOR_REAL or changes_something(name, tasks.ns[name])):
        words.append("--dry")
    new = {"CRUDDUR_MIGRATIONS_DIR": str(folder / "new")} if "generate" in name else {}
    result = commands.run(tuple(words), world | new, "")
    assert result.returncode in ((0, 1) if name in MAY_FIND_PROBLEMS else (0,)), result.stderr
    assert "Traceback" not in result.stderr


OPTIONS_OF_INVOKE = ["-p", "--pty", "-w", "--echo", "--hide=out", "-T=5", "-D=1", "-F=flat", "-d"]
OPTIONS_OF_INVOKE += ["--no-dedupe", "--write-pyc"]


@pytest.mark.parametrize("flag", OPTIONS_OF_INVOKE)
def test_an_option_of_invoke_that_a_task_does_not_need_changes_no_store(
    commands: typed.Commands, world: dict[str, str], flag: str
) -> None:
    for words in ((flag, "ddb.drop"), ("ddb.drop", flag)):
        result = commands.run(words, world, "")
        assert result.returncode == 2
        assert "is an option of Invoke that ddb.drop does not need" in result.stderr
    assert commands.run(("ddb.scan", flag), world, "").returncode == 0
