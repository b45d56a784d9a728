"""The embedded engines: start, share, stop, and errors of one line."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import boto3
import psutil
import psycopg
import pytest
from ports import free_port

from core import engines
from core.engines import dynamodb, dynoxide, postgres, processes
from core.engines.state import Engine, Process, read_state, write_state
from core.errors import EngineError


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / ".engines"
    yield folder
    if (folder / "state.json").exists():
        engines.stop(folder)


def start_in_another_process(folder: Path) -> subprocess.CompletedProcess:
    return in_another_process("start", folder)


def in_another_process(act: str, folder: Path) -> subprocess.CompletedProcess:
    code = (
        f"import sys, pathlib; from core import engines; engines.{act}(pathlib.Path(sys.argv[1]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, folder], check=False, capture_output=True, timeout=50
    )


def runs(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        # What has ended stays until its parent asks: the system's init, for an orphan.
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def states(statuses) -> list[str]:
    return [engine.state for engine in statuses]


def postgres_answer(folder: Path) -> str:
    url = engines.endpoints(folder).postgres_url.replace("/cruddur", "/postgres")
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT current_setting('listen_addresses')").fetchone()[0]


def dynamodb_client(folder: Path):
    return boto3.client(
        "dynamodb",
        endpoint_url=engines.endpoints(folder).aws_endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def descendants(pid: int) -> list[int]:
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def test_engines_started_elsewhere_are_shared_and_survive_their_starter(folder) -> None:
    assert start_in_another_process(folder).returncode == 0
    before = engines.status(folder)
    assert states(before) == ["running", "running"]
    assert [e.pid for e in engines.start(folder)] == [e.pid for e in before]
    assert postgres_answer(folder) == "127.0.0.1"


def test_postgres_can_be_started_alone(folder) -> None:
    engines.start_postgres(folder)
    engines.start_postgres(folder)
    assert states(engines.status(folder)) == ["running", "stopped"]
    assert postgres_answer(folder)
    server = psutil.Process(engines.status(folder)[0].pid)
    server.suspend()  # the system accepts connections for it
    try:
        status = engines.status(folder)[0]
    finally:
        server.resume()
    assert status.state == "not answering"
    assert status.notes == "database cruddur; to stop it, run: invoke down"


@pytest.mark.parametrize(
    ("program", "start"),
    [
        (dynamodb, lambda folder: (dynamodb.Place.of_data(folder),)),
        (dynoxide, lambda folder: (dynoxide.Place.of_data(folder), Path("/opt/dynoxide"))),
    ],
    ids=["ministack", "dynoxide"],
)
def test_an_engine_that_runs_and_does_not_answer_is_named_with_the_command_that_stops_it(
    tmp_path, monkeypatch, program, start
) -> None:
    hung = psutil.Process()
    monkeypatch.setattr(processes, "START_TIMEOUT_S", 0.1)
    monkeypatch.setattr(program, "running", lambda *_: hung)
    with pytest.raises(EngineError) as caught:
        program.start(*start(tmp_path), Engine(free_port()), lambda: None)
    problem = f"{program.NAME} (pid {hung.pid}) runs, and does not answer"
    assert str(caught.value) == f"{problem}. To stop it, run: invoke down"


def test_a_postgres_that_runs_and_does_not_answer_is_named_too(tmp_path, monkeypatch) -> None:
    hung = psutil.Process()
    (tmp_path / "postgres").mkdir()
    monkeypatch.setattr(processes, "START_TIMEOUT_S", 0.1)
    monkeypatch.setattr(postgres, "_check_version", lambda _: None)
    monkeypatch.setattr(postgres, "running", lambda _: hung)
    with pytest.raises(EngineError) as caught:
        postgres.start(tmp_path, Engine(free_port()), "")
    problem = f"Postgres (pid {hung.pid}) runs, and does not answer"
    assert str(caught.value) == f"{problem}. To stop it, run: invoke down"


def test_two_starts_at_once_start_one_of_each(folder) -> None:
    with ThreadPoolExecutor(3) as pool:
        replies = list(pool.map(start_in_another_process, [folder] * 3))
    assert [reply.returncode for reply in replies] == [0, 0, 0]
    assert states(engines.status(folder)) == ["running", "running"]


def test_data_and_ports_survive_a_stop(folder) -> None:
    before = [engine.port for engine in engines.start(folder)]
    dynamodb_client(folder).create_table(
        TableName="kept",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    engines.stop(folder)
    again = engines.start(folder)
    assert [engine.port for engine in again] == before
    assert dynamodb_client(folder).list_tables()["TableNames"] == ["kept"]
    assert again[1].notes == "in ministack"


def test_stopping_leaves_no_process_behind(folder) -> None:
    pids = [pid for engine in engines.start(folder) for pid in descendants(engine.pid)]
    assert states(engines.stop(folder)) == ["stopped", "stopped"]
    assert [pid for pid in pids if runs(pid)] == []


def test_stopping_does_not_wait_for_a_parent_that_never_asks_how_they_ended(folder) -> None:
    engines.start(folder)  # children of this process, which is busy with something else
    done = in_another_process("stop", folder)
    assert (done.returncode, done.stderr) == (0, b"")
    assert states(engines.status(folder)) == ["stopped", "stopped"]


def test_stopping_engines_that_never_ran_is_no_error(folder) -> None:
    assert states(engines.stop(folder)) == ["stopped", "stopped"]
    assert not folder.exists()


def test_an_unclean_stop_of_dynamodb_is_reported_at_the_next_start(folder, monkeypatch) -> None:
    """A start that fails before it can say so leaves it to the next one."""
    engines.start(folder)
    os.kill(engines.status(folder)[1].pid, signal.SIGKILL)
    assert processes.wait_until(lambda: engines.status(folder)[1].state == "stopped", 10)
    assert "invoke ddb.seed" not in engines.status(folder)[0].notes
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(EngineError, match="Could not start DynamoDB"):
            engines.start(folder)
    assert "may be lost" in engines.status(folder)[1].notes
    assert "may be lost" in engines.start(folder)[1].notes
    assert engines.status(folder)[1].notes == "in ministack"


def test_a_stop_that_cannot_save_says_so_and_so_does_the_next_start(folder) -> None:
    engines.start(folder)
    dynamodb_client(folder).list_tables()
    (folder / "dynamodb" / "state" / "dynamodb.json.tmp").mkdir(parents=True)  # as a full disk does
    with pytest.raises(EngineError, match=r"could not save its data: .*Is a directory"):
        engines.stop(folder)
    assert states(engines.status(folder)) == ["stopped", "stopped"]
    (folder / "dynamodb" / "state" / "dynamodb.json.tmp").rmdir()
    assert "may be lost" in engines.start(folder)[1].notes
    engines.stop(folder)


def test_postgres_keeps_what_was_committed_over_kill_9(folder) -> None:
    engines.start(folder)
    url = engines.endpoints(folder).postgres_url.replace("/cruddur", "/postgres")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    family = descendants(engines.status(folder)[0].pid)
    for pid in family:
        with suppress(ProcessLookupError):  # of the closed connection, or a child that noticed
            os.kill(pid, signal.SIGKILL)
    assert processes.wait_until(lambda: not any(map(psutil.pid_exists, family)), 10)
    assert states(engines.start(folder)) == ["running", "running"]
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


@pytest.mark.parametrize("place", ["dynamodb", "postgres"])
def test_a_pid_of_another_process_is_neither_trusted_nor_killed(folder, place) -> None:
    """Nor if it works in the folder of the data, as a shell may."""
    engines.start(folder)
    engines.stop(folder)
    stranger = subprocess.Popen(["sleep", "60"], cwd=folder / place)
    try:
        state = read_state(folder / "state.json")
        state.dynamodb.process = Process(stranger.pid, 1.0)
        write_state(folder / "state.json", state)
        stale = [str(stranger.pid), str(folder / "postgres"), "1", "5432", "", "127.0.0.1", "", ""]
        (folder / "postgres" / "postmaster.pid").write_text("\n".join(stale))
        assert states(engines.status(folder)) == ["stopped", "stopped"]
        assert states(engines.start(folder)) == ["running", "running"]
        engines.stop(folder)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("stepped_s", [-3600, 3600])
def test_a_step_of_the_clock_does_not_hide_an_engine(engines_folder, stepped_s) -> None:
    engine = read_state(engines_folder / "state.json").dynamodb
    engine.process.created_at += stepped_s
    place = dynamodb.Place.of_data(engines_folder)
    assert dynamodb.running(place, engine).pid == engine.process.pid


def test_engines_of_a_killed_start_are_used_by_the_next_start(folder) -> None:
    code = "import sys; from pathlib import Path; from core import engines;"
    code += "engines.start(Path(sys.argv[1]))"
    starter = subprocess.Popen([sys.executable, "-c", code, str(folder)])
    children: list[psutil.Process] = []

    def begun() -> bool:
        with suppress(psutil.Error):  # others come and go
            family = psutil.Process(starter.pid).children(recursive=True)
            children[:] = [child for child in family if "ministack" in child.cmdline()]
        return bool(children)

    assert processes.wait_until(begun, 60)
    state = folder / "state.json"
    assert processes.wait_until(lambda: read_state(state).dynamodb.process is not None, 10)
    starter.kill()
    starter.wait()
    assert states(engines.start(folder)) == ["running", "running"]
    assert engines.status(folder)[1].pid == children[0].pid
    engines.stop(folder)
    assert not runs(children[0].pid)


def test_one_folder_by_two_names_has_one_postgres(folder, tmp_path) -> None:
    engines.start(folder)
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert engines.start(link) == engines.status(folder)
    assert states(engines.stop(link)) == ["stopped", "stopped"]
    assert states(engines.status(folder)) == ["stopped", "stopped"]


def test_engines_whose_folder_was_renamed_are_found_and_stopped(folder, tmp_path) -> None:
    before = [engine.pid for engine in engines.start(folder)]
    renamed = folder.rename(tmp_path / "renamed")
    try:
        assert [engine.pid for engine in engines.start(renamed)] == before
        assert postgres_answer(renamed)
    finally:
        engines.stop(renamed)
    assert [pid for pid in before if runs(pid)] == []


def test_a_postgres_whose_working_directory_is_hidden_is_found_by_its_command_line(
    folder, monkeypatch
) -> None:
    def hidden(process: psutil.Process) -> str:
        raise psutil.AccessDenied(process.pid)

    engines.start_postgres(folder)
    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "cwd", hidden)
        assert states(engines.status(folder)) == ["running", "stopped"]


def test_a_folder_whose_name_is_not_text_works(tmp_path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff\xfe")
    try:
        assert states(engines.start(folder)) == ["running", "running"]
    finally:
        assert states(engines.stop(folder)) == ["stopped", "stopped"]


@pytest.mark.parametrize("engine", ["postgres", "dynamodb"])
def test_a_taken_port_is_named_with_who_has_it(folder, engine) -> None:
    engines.start(folder)
    engines.stop(folder)
    port = getattr(read_state(folder / "state.json"), engine).port
    complaint = pytest.raises(EngineError, match=f"(?i)port {port}.*taken by .*pid {os.getpid()}")
    with socket.create_server(("127.0.0.1", port)), complaint:
        engines.start(folder)
    assert states(engines.start(folder)) == ["running", "running"]


def test_the_port_of_a_program_that_is_just_ending_is_waited_for(tmp_path) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    ending = threading.Timer(0.2, server.close)
    ending.start()
    processes.require_free(port, "Postgres", tmp_path)
    ending.join()


def test_a_long_path_with_spaces_works(tmp_path) -> None:
    folder = tmp_path / ("a checkout with spaces " * 5) / ("and a long name" * 8) / ".engines"
    try:
        assert states(engines.start(folder)) == ["running", "running"]
        assert postgres_answer(folder) == "127.0.0.1"
    finally:
        engines.stop(folder)


def test_data_of_another_postgres_version_is_refused_and_kept(folder) -> None:
    engines.start(folder)
    engines.stop(folder)
    (folder / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EngineError, match="Postgres 12"):
        engines.start(folder)
    assert (folder / "postgres" / "base").is_dir()


STATE = {"version": 1, "password": "p", "postgres": {"port": 1, "process": None}}
DAMAGED = [
    {"port": 99_999, "process": None},
    {"port": "x", "process": None},
    {"port": 1, "process": 5},
    {"port": 1, "process": {"pid": -1, "created_at": 1.0}},
    {"port": 1, "process": {"pid": 1, "created_at": "x"}},
]


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", '{"version": 1}', "[" * 100_000),
        *(json.dumps(STATE | {"dynamodb": engine}) for engine in DAMAGED),
    ],
    ids=range(10),
)
def test_a_damaged_state_file_is_one_line(folder, content) -> None:
    folder.mkdir()
    (folder / "state.json").write_text(content)
    with pytest.raises(EngineError, match="damaged"):
        engines.start(folder)
    (folder / "state.json").unlink()


def test_a_state_file_of_a_newer_version_is_refused(folder) -> None:
    folder.mkdir()
    (folder / "state.json").write_text('{"version": 99}')
    with pytest.raises(EngineError, match="version 99"):
        engines.endpoints(folder)
    (folder / "state.json").unlink()


def test_an_interrupted_set_up_starts_again(folder) -> None:
    (folder / "postgres.new" / "base").mkdir(parents=True)
    assert states(engines.start(folder)) == ["running", "running"]
    assert not (folder / "postgres.new").exists()


def test_a_full_disk_is_one_line_and_no_half_made_data(tmp_path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small], check=False, capture_output=True
    )
    folder = small / ".engines"
    if mounted.returncode:  # no right to mount: the file system refuses in another way
        pytest.xfail("mounting a small disk needs root")
    try:
        with pytest.raises(EngineError, match="No space left") as caught:
            engines.start(folder)
        assert "\n" not in str(caught.value)
        assert not (folder / "postgres").exists()
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            [
                "FATAL:  the database system is starting up",
                'ERROR:  could not write blocks 25..25 in file "base/1": No space left on device',
                "FATAL:  checkpoint request failed",
                "LOG:  database system is shut down",
            ],
            'could not write blocks 25..25 in file "base/1": No space left on device',
        ),
        (["LOG:  database system is shut down", ""], "LOG:  database system is shut down"),
        ([], ""),
    ],
)
def test_the_first_error_of_this_start_says_why_postgres_has_ended(tmp_path, lines, reason) -> None:
    log = tmp_path / "postgres.log"
    assert postgres.reason_in(log, 0) == ""
    log.write_text("FATAL:  an error of the last start\n")
    begin = log.stat().st_size
    with log.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    assert postgres.reason_in(log, begin) == reason


def test_the_ministack_beside_dynoxide_is_named_for_what_it_serves(tmp_path, monkeypatch) -> None:
    place = dynamodb.Place.of_others(tmp_path)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EngineError) as caught:
        dynamodb.start(place, Engine(free_port()), lambda: None)
    assert caught.value.problem.startswith("Could not start ministack for Cognito, EC2 and STS")
    assert "aws.log" in caught.value.hint


def test_a_folder_that_is_a_file_is_one_line(folder) -> None:
    folder.write_text("")
    with pytest.raises(EngineError, match=r"\.engines"):
        engines.start(folder)
    folder.unlink()


def test_only_the_owner_reads_the_data_in_a_folder_that_was_there_open_to_all(folder) -> None:
    folder.mkdir(mode=0o755)
    (folder / "dynamodb.log").touch(mode=0o644)
    engines.start(folder)
    assert stat.S_IMODE((folder / "dynamodb").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "dynamodb.log").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "postgres").stat().st_mode) == 0o700


def test_only_the_owner_reads_the_password(engines_folder) -> None:
    assert stat.S_IMODE(engines_folder.stat().st_mode) == 0o700
    for name in ("state.json", "env"):
        assert stat.S_IMODE((engines_folder / name).stat().st_mode) == 0o600
    password = json.loads((engines_folder / "state.json").read_text())["password"]
    for engine in engines.status(engines_folder):
        for pid in descendants(engine.pid):
            with suppress(psutil.NoSuchProcess):
                assert password not in " ".join(psutil.Process(pid).cmdline())


def test_a_shell_file_points_other_programs_at_them(engines_folder) -> None:
    command = ["sh", "-c", '. "$0/env" && env', engines_folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={})
    endpoints = engines.endpoints(engines_folder)
    assert {
        f"CONNECTION_URL={endpoints.postgres_url}",
        f"AWS_ENDPOINT_URL={endpoints.aws_endpoint_url}",
    } <= set(done.stdout.splitlines())


def test_no_folder_on_the_way_changes_its_mode(folder, tmp_path) -> None:
    before = [stat.S_IMODE(parent.stat().st_mode) for parent in tmp_path.parents]
    engines.start(folder)
    assert [stat.S_IMODE(parent.stat().st_mode) for parent in tmp_path.parents] == before


def test_both_listen_on_loopback_only(engines_folder) -> None:
    time.sleep(1)  # some services listen only after the first answer
    listening = set()
    running = engines.status(engines_folder)
    for pid in {pid for engine in running for pid in descendants(engine.pid)}:
        # Postgres's workers come and go by themselves.
        with suppress(psutil.NoSuchProcess):
            connections = psutil.Process(pid).net_connections("inet")
            listening |= {
                connection.laddr.ip
                for connection in connections
                if connection.status == psutil.CONN_LISTEN
            }
    assert listening == {"127.0.0.1"}


def test_an_interrupt_in_the_terminal_does_not_reach_them(folder) -> None:
    starter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time, pathlib; from core import engines;"
            "engines.start(pathlib.Path(sys.argv[1])); print(flush=True); time.sleep(60)",
            folder,
        ],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    starter.stdout.readline()
    for signal_number in (signal.SIGINT, signal.SIGHUP):
        os.killpg(starter.pid, signal_number)
    starter.wait()
    starter.stdout.close()
    time.sleep(0.5)
    assert states(engines.status(folder)) == ["running", "running"]


def test_the_callers_variables_do_not_change_them(folder, monkeypatch) -> None:
    for name, value in {
        "PGDATA": "/nonexistent",
        "PGPORT": "1",
        "GATEWAY_PORT": "1",
        "BIND_HOST": "0.0.0.0",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    assert states(engines.start(folder)) == ["running", "running"]


def test_root_runs_postgres_below_a_folder_that_only_root_can_open(tmp_path) -> None:
    """As in root's home: initdb asks with access(2) whether it may run postgres."""
    if os.geteuid():
        pytest.xfail("only root has such a folder")
    hidden = tmp_path / "home"
    hidden.mkdir(mode=0o700)
    program = hidden / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    checks = f'import os, sys; sys.exit(not os.access("{program}", os.X_OK))'
    command = [*postgres.as_nobody(), "/usr/bin/python3", "-c", checks]
    assert subprocess.run(command, check=False).returncode == 0


def test_a_user_who_is_not_root_can_run_them(tmp_path) -> None:
    """As ``nobody`` if the tests run as root; the interpreter may be readable by root only."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    prefix = []
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        prefix = postgres.as_nobody()
    code = (
        "import os, sys, pathlib; from core import engines; f = pathlib.Path(sys.argv[1]);"
        "print(os.geteuid() > 0, [e.state for e in engines.start(f) + engines.stop(f)])"
    )
    done = subprocess.run(
        [*prefix, sys.executable, "-c", code, folder / "e"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    expected = "True ['running', 'running', 'stopped', 'stopped']"
    assert done.stdout.strip() == expected, done.stderr


def test_a_missing_wheel_is_one_line_with_the_command_that_installs_it(folder, monkeypatch) -> None:
    monkeypatch.setattr(postgres, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match="pip install"):
        engines.start(folder)
    monkeypatch.undo()
    monkeypatch.setattr(dynamodb, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match="pip install"):
        engines.start(folder)
