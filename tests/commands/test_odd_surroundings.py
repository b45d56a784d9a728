"""Unusual terminals and pipes."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.dynamodb import keys
from core.dynamodb.patterns import reads
from core.settings import PROJECT_ROOT
from tasks import ns

TASKS = {name: ns[name] for name in ns.task_names}

PAIR = ("--user", "bayko", "--with", "andrewbrown", "--limit", "100")


@pytest.mark.parametrize("task", ["ddb.patterns.get-conversation", "ddb.scan"])
def test_a_terminal_with_only_ascii_gets_escapes(run_invoke, seeded, task) -> None:
    options = PAIR if "patterns" in task else ()
    env = seeded | {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    result = run_invoke(task, *options, env=env)
    assert result.returncode == 0
    assert "\\U0001f" in result.stdout


def test_json_for_such_a_terminal_is_still_json(run_invoke, seeded) -> None:
    task = "ddb.patterns.get-conversation"
    env = seeded | {"PYTHONIOENCODING": "ascii"}
    ascii_only = run_invoke(task, *PAIR, "--json", env=env).stdout
    assert json.loads(ascii_only) == json.loads(
        run_invoke(task, *PAIR, "--json", env=seeded).stdout
    )


def in_shell(
    command: str, env: dict[str, str], home: object, *, program: str = "sh"
) -> subprocess.CompletedProcess[str]:
    """Run ``invoke`` in a shell, which redirects its streams."""
    return subprocess.run(
        [f"/bin/{program}", "-c", f"'{sys.executable}' -m invoke {command}"],
        cwd=PROJECT_ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("task", ["ddb.scan", "db.sessions"])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_closed_stream_causes_no_error(seeded, tmp_path, task, closed) -> None:
    done = in_shell(f"{task} {closed}", seeded, tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_nobody_confirms_through_a_closed_stream(seeded, messages, tmp_path) -> None:
    marker = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
    messages.request("put_item", Item=marker)
    done = in_shell("ddb.drop <&-", seeded, tmp_path)
    assert (done.returncode, "--confirm" in done.stderr) == (1, True)


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="the system has no /dev/full")
@pytest.mark.parametrize("task", ["ddb.scan", "db.sessions", "ddb.export"])
def test_a_full_disk_is_one_line(seeded, tmp_path, task) -> None:
    done = in_shell(f"{task} > /dev/full", seeded, tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert done.stderr.splitlines()[-1] == "No space left on device"


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="the system has no /dev/full")
@pytest.mark.parametrize("command", ["--list", "--help ddb.seed"])
def test_what_invoke_itself_prints_onto_a_full_disk_is_one_line(tmp_path, command) -> None:
    done = in_shell(f"{command} > /dev/full", {}, tmp_path)
    assert (done.returncode, done.stderr) == (1, "No space left on device\n")


@pytest.mark.parametrize("command", ["--list", "--help ddb.seed"])
def test_a_reader_that_closes_the_pipe_ends_it_quietly(tmp_path, command) -> None:
    done = in_shell(f"{command} | true; echo ${{PIPESTATUS[0]}}", {}, tmp_path, program="bash")
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="the system has no /dev/full")
@pytest.mark.parametrize("form", ["", "--json"])
def test_a_message_whose_receipt_cannot_be_printed_is_reported_as_stored(
    seeded, messages, tmp_path, form
) -> None:
    task = f"ddb.patterns.create-message {' '.join(PAIR[:4])} --message once {form}"
    done = in_shell(f"{task} > /dev/full", seeded, tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "is stored, which could not be printed: No space left on device" in done.stderr
    assert [item["message"]["S"] for item in reads.scan(messages) if "message" in item].count(
        "once"
    ) == 3  # the message, and both inbox rows


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("from admin_app import __main__ as ui; ui.serve = stopped; ui.main()", ""),
        (
            "import invoke.program; from task_groups.running import OneTargetExecutor as executor;"
            " executor._perform = stopped;"
            " invoke.program.Program(executor_class=executor).run(['invoke', 'status'])",
            "interrupted\n",
        ),
    ],
)
def test_a_second_ctrl_c_ends_it_at_once_and_quietly(program: str, line: str) -> None:
    """The first one has stopped the work, and the process waits for its threads."""
    program = f"""
import os, signal, threading
def stopped(*_, **__): raise KeyboardInterrupt
threading._register_atexit(lambda: os.kill(os.getpid(), signal.SIGINT))
{program}
"""
    command = [sys.executable, "-c", program, "--port=1"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, line)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("end", ["true", "> /dev/full"])
def test_it_is_also_reported_where_each_line_is_written_at_once(tmp_path, unbuffered, end) -> None:
    command = f"--list {end if end[0] == '>' else '| ' + end}"
    done = in_shell(command, {"PYTHONUNBUFFERED": unbuffered}, tmp_path, program="bash")
    assert done.stderr in ("", "No space left on device\n")


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        ("KeyboardInterrupt", "interrupted\n", 130),
        ("BrokenPipeError", "", 0),
        ("OSError(28, 'No space left')", "No space left\n", 1),
        ("OSError(2, 'Not there', b'file')", "b'file': Not there\n", 1),
        ("OSError('no number')", "no number\n", 1),
    ],
)
def test_an_error_outside_of_tasks_is_one_line(error, message, code) -> None:
    program = f"import task_groups.terminal; raise {error}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stderr, done.returncode) == (message, code)


def test_a_bug_of_the_program_is_not_hidden() -> None:
    program = "import task_groups.terminal; raise ValueError('a bug')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ("Traceback" in done.stderr, done.returncode) == (True, 1)


def test_output_for_a_closed_stream_goes_nowhere_else(seeded, tmp_path) -> None:
    task = "ddb.patterns.get-conversation --user bayko --with andrewbrown --json"
    assert json.loads(in_shell(f"{task} 2>&-", seeded, tmp_path).stdout)


def test_no_secret_is_in_what_debugging_logs(seeded, tmp_path) -> None:
    keys_of_aws = {"AWS_ACCESS_KEY_ID": "AKIDOFAWS", "AWS_SECRET_ACCESS_KEY": "secretofaws"}
    env = seeded | keys_of_aws | {"AWS_SESSION_TOKEN": "tokenofaws"}
    done = in_shell(
        "--debug ddb.patterns.get-conversation --user bayko --with andrewbrown", env, tmp_path
    )
    assert done.returncode == 0
    password = seeded["CONNECTION_URL"].split(":")[2].split("@")[0]
    for secret in ("secretofaws", "tokenofaws", password):
        assert secret not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("command", "env", "message"),
    [
        ("bench --messages abc", {}, "--messages needs a whole number"),
        ("bench --messages -5", {}, "--messages needs a whole number"),
        ("start --port abc", {}, "--port needs a whole number"),
        ("ddb.scan --limit ''", {}, "--limit is empty. Give its value, or leave it out."),
        ("adopt", {}, "--environment NAME is missing. See: invoke --help adopt"),
        ("db.generate-migration", {}, "--name TEXT is missing. See: "),
        ("ddb.drop", {"DDB_MESSAGE_TABLE": "a b"}, "DDB_MESSAGE_TABLE is 'a b'"),
        ("ddb.scan", {"DDB_MESSAGE_TABLE": "ab"}, "DDB_MESSAGE_TABLE is 'ab'"),
    ],
)
def test_an_invalid_value_is_one_line_before_anything_is_done(
    run_invoke, seeded, tmp_path, command, env, message
) -> None:
    env = seeded | env | {"CRUDDUR_ENGINES_DIR": str(tmp_path / "engines")}
    done = run_invoke(*shlex.split(command), env=env)
    assert done.returncode in (1, 2)
    assert (done.stdout, len(done.stderr.splitlines())) == ("", 1)
    assert message in done.stderr
    assert not (tmp_path / "engines").exists()


def test_an_aws_configuration_that_cannot_be_read_is_named(run_invoke) -> None:
    result = run_invoke("ddb.scan", "--prod", env={"AWS_CONFIG_FILE": __file__})
    assert result.returncode == 1
    assert result.stderr.endswith("Fix that file, or name another one in AWS_CONFIG_FILE.\n")


@pytest.mark.parametrize("task", sorted(TASKS))
def test_help_works_on_every_terminal(task: str) -> None:
    """Invoke prints it before our code could escape characters that the terminal lacks."""
    assert (TASKS[task].__doc__ or "").isascii()
    assert all(text.isascii() for text in TASKS[task].help.values())


def test_a_limit_beyond_every_table_works(run_invoke, seeded) -> None:
    options = (*PAIR[:4], "--limit", "99999999999", "--json")
    result = run_invoke("ddb.patterns.get-conversation", *options, env=seeded)
    assert len(json.loads(result.stdout)) >= 40


def test_an_error_that_ends_with_a_question_gets_no_second_mark(run_invoke, table_env) -> None:
    result = run_invoke("ddb.patterns.get-conversation", env=table_env)
    assert result.stderr.startswith("The conversation is not clear. Give ")


def test_typed_text_in_an_error_cannot_control_the_terminal(run_invoke, table_env) -> None:
    options = ("--user", "bayko", "--conversation", "\x1b[2J")
    result = run_invoke("ddb.patterns.get-conversation", *options, env=table_env)
    assert (result.returncode, "\x1b" in result.stderr) == (1, False)
