"""DynamoDB's data moves between ministack and dynoxide; a kill at any point loses none of it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import boto3
import dynoxide
import psutil
import pytest

from core import engines
from core.engines import DYNOXIDE, MINISTACK, Choice, copying, moving, processes, stores
from core.engines.requests import Scope
from core.engines.state import Engine, Process, State, read_state, write_state
from core.errors import EngineError, SettingsError

KEYS = {
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "group")
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-group",
            "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
}
TYPES = {
    "number": {"N": "12345678901234567890.123456789"},
    "bytes": {"B": b"\x00\xff\x80"},
    "numbers": {"NS": ["1", "2.5", "-3"]},
    "names": {"SS": ["b", "a", "日本"]},
    "deep": {"M": {"N": {"L": [{"BOOL": True}, {"NULL": True}, {"S": ""}]}}},
    "group": {"S": "g"},
}
ITEMS = 60
NAME = "cruddur-messages"


def client(folder: Path, region: str = "us-east-1"):
    return boto3.client(
        "dynamodb",
        endpoint_url=engines.endpoints(folder).dynamodb_endpoint_url,
        region_name=region,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def fill(folder: Path, name: str = NAME, region: str = "us-east-1") -> list[dict]:
    """A table with items of all types; returns them."""
    here = client(folder, region)
    here.create_table(TableName=name, **KEYS)
    for number in range(ITEMS):
        key = {"pk": {"S": f"p{number % 7}"}, "sk": {"S": f"{number:04}"}}
        here.put_item(TableName=name, Item=TYPES | key)
    here.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True},
    )
    return stored(folder, name, region)


def stored(folder: Path, name: str = NAME, region: str = "us-east-1") -> list[dict]:
    items = client(folder, region).scan(TableName=name, ConsistentRead=True)["Items"]
    for item in items:
        item["names"]["SS"].sort()
        item["numbers"]["NS"].sort()
    return sorted(items, key=lambda item: item["sk"]["S"])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "the engines"
    yield folder
    engines.stop(folder)


def test_a_copy_has_the_items_the_indexes_the_stream_and_the_time_to_live(folder) -> None:
    engines.start(folder)
    items = fill(folder, region="eu-west-1")
    port = read_state(folder / "state.json").dynamodb.port
    west = Scope("local", "eu-west-1")
    assert copying.copy_tables(port, [west], port) == copying.Copied(1, ITEMS)
    assert stored(folder) == items
    assert copying.digest(port, NAME) == copying.digest(port, NAME, west)
    here = client(folder)
    table = here.describe_table(TableName=NAME)["Table"]
    assert table["StreamSpecification"] == KEYS["StreamSpecification"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-group"]
    query = {"IndexName": "by-group", "KeyConditionExpression": "#g = :g"}
    query |= {"ExpressionAttributeNames": {"#g": "group"}}
    values = {":g": {"S": "g"}}
    matching = here.query(TableName=NAME, ExpressionAttributeValues=values, **query)
    assert matching["Count"] == ITEMS
    expiry = here.describe_time_to_live(TableName=NAME)["TimeToLiveDescription"]
    assert expiry["AttributeName"] == "expires"

    here.put_item(
        TableName=NAME, Item=TYPES | {"pk": {"S": "p0"}, "sk": {"S": "0000"}, "x": {"S": ""}}
    )
    with pytest.raises(EngineError, match="differs"):
        copying.compare(port, [west], port)
    here.delete_table(TableName=NAME)
    client(folder, "eu-west-2").create_table(TableName=NAME, **KEYS)
    with pytest.raises(EngineError, match=f"Two regions have a table {NAME}"):
        copying.copy_tables(port, [west, Scope("local", "eu-west-2")], port)


BINARY = Path("/opt/dynoxide")


@pytest.mark.parametrize(
    ("holder", "is_chosen", "choice", "wanted"),
    [
        (MINISTACK, False, Choice(), MINISTACK),
        (MINISTACK, False, Choice(BINARY), DYNOXIDE),
        (MINISTACK, True, Choice(BINARY), MINISTACK),
        (MINISTACK, True, Choice(BINARY, engine=DYNOXIDE), DYNOXIDE),
        (MINISTACK, False, Choice(BINARY, functions=True), MINISTACK),
        (DYNOXIDE, False, Choice(), DYNOXIDE),
        (DYNOXIDE, False, Choice(BINARY, engine=MINISTACK), MINISTACK),
        (DYNOXIDE, True, Choice(BINARY, functions=True), MINISTACK),
    ],
)
def test_dynoxide_is_used_where_it_is_installed_unless_another_is_named(
    tmp_path, holder, is_chosen, choice, wanted
) -> None:
    state = State("", Engine(1), Engine(2), holder=holder, is_chosen=is_chosen)
    assert stores._wanted(tmp_path, state, choice) == wanted


def test_data_that_functions_moved_goes_back_to_the_program_that_the_user_named(
    tmp_path, monkeypatch
) -> None:
    def move(_: Path, state: State, *__: object) -> copying.Copied:
        state.holder = MINISTACK if state.holder == DYNOXIDE else DYNOXIDE
        return copying.Copied(0, 0)

    monkeypatch.setattr(stores.moving, "move", move)
    for program in (stores.dynamodb, stores.dynoxide):
        monkeypatch.setattr(program, "start", lambda *_: True)
    state = State("", Engine(1), Engine(2))
    for choice, holder in [
        (Choice(BINARY, DYNOXIDE), DYNOXIDE),
        (Choice(BINARY, functions=True), MINISTACK),
        (Choice(BINARY), DYNOXIDE),
        (Choice(BINARY, MINISTACK), MINISTACK),
        (Choice(BINARY, functions=True), MINISTACK),
        (Choice(BINARY), MINISTACK),
    ]:
        stores.start(tmp_path, state, choice, lambda: None)
        assert state.holder == holder


def test_data_in_a_program_that_is_gone_is_an_error_and_not_an_empty_store(folder) -> None:
    engines.start(folder)
    engines.stop(folder)
    state = read_state(folder / "state.json")
    state.holder = DYNOXIDE
    write_state(folder / "state.json", state)
    with pytest.raises(EngineError, match=r"not installed.*up --durable") as caught:
        engines.start(folder)
    assert "data is in dynoxide" in str(caught.value)
    assert '"version": 2' in (folder / "state.json").read_text()  # older programs refuse it


def test_a_dynoxide_that_is_named_must_be_a_program(tmp_path) -> None:
    assert engines.find_dynoxide(sys.executable, tmp_path) == Path(sys.executable)
    with pytest.raises(SettingsError, match="DYNOXIDE is '/nowhere/dynoxide'"):
        engines.find_dynoxide("/nowhere/dynoxide", tmp_path)


@pytest.mark.parametrize("is_named", [True, False])
def test_a_dynoxide_with_a_relative_path_is_found_for_every_folder(
    tmp_path, monkeypatch, is_named
) -> None:
    """It is started in the folder of its data."""
    program = tmp_path / "bin" / "dynoxide"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "bin")
    assert engines.find_dynoxide("bin/dynoxide" if is_named else None, tmp_path) == program


@pytest.mark.parametrize(
    ("content", "reason"),
    [("no program", "Exec format error"), ("#!/nowhere/sh\n", "No such file or directory")],
)
def test_a_dynoxide_that_the_system_cannot_run_is_named(folder, tmp_path, content, reason) -> None:
    program = tmp_path / "dynoxide"
    program.write_text(content)
    program.chmod(0o755)
    line = f"Could not run {program}: {reason}. Name a dynoxide that runs in DYNOXIDE."
    with pytest.raises(EngineError) as caught:
        engines.start(folder, Choice(program))
    assert str(caught.value).startswith(f"{line} DynamoDB's data stays in ministack.")
    state = read_state(folder / "state.json")
    state.holder = DYNOXIDE
    write_state(folder / "state.json", state)
    with pytest.raises(EngineError) as caught:
        engines.start(folder, Choice(program))
    assert str(caught.value) == line


def test_what_npm_cannot_do_is_one_line(tmp_path, monkeypatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error no network' >&2; exit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"could not install .*: npm error no network"):
        engines.install_dynoxide(tmp_path / "engines")
    npm.unlink()
    with pytest.raises(EngineError, match="npm is not installed"):
        engines.install_dynoxide(tmp_path / "engines")
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(EngineError, match="no dynoxide for Linux on riscv64"):
        engines.install_dynoxide(tmp_path / "engines")


# With dynoxide itself


def test_a_move_that_fails_names_the_command_that_goes_on_without_it(folder) -> None:
    engines.start(folder)
    items = fill(folder)
    client(folder, "eu-west-1").create_table(TableName=NAME, **KEYS)
    engines.stop(folder)
    for _ in range(2):
        with pytest.raises(EngineError) as caught:
            engines.start(folder, Choice(binary()))
        assert str(caught.value) == (
            f"Two regions have a table {NAME}, and dynoxide has only one of each name. Before the"
            " data can move, export one of them and drop it. DynamoDB's data stays in ministack."
            " To go on with it, run: invoke up --engine ministack"
        )
    engines.start(folder, Choice(binary(), MINISTACK))
    assert stored(folder) == items
    client(folder, "eu-west-1").delete_table(TableName=NAME)
    assert engines.start(folder, Choice(binary(), DYNOXIDE))[1].notes.startswith("in dynoxide")
    assert stored(folder) == items


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#!/bin/sh\necho broken; exit 3\n", "Could not start dynoxide: broken. Read its log: "),
        ("{}", "Could not read which tables "),
    ],
)
def test_another_failure_of_a_move_names_it_too(folder, tmp_path, text, reason) -> None:
    program = tmp_path / "dynoxide"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    saved = folder / "dynamodb" / "state" / "dynamodb.json"
    saved.parent.mkdir(parents=True)
    (program if text.startswith("#!") else saved).write_text(text)
    with pytest.raises(EngineError) as caught:
        engines.start(folder, Choice(program))
    assert str(caught.value).startswith(reason)
    assert str(caught.value).endswith(
        ". DynamoDB's data stays in ministack. To go on with it, run: invoke up --engine ministack"
    )


STAYS = ". DynamoDB's data stays in dynoxide. To go on with it, run: invoke up --engine dynoxide"


@pytest.fixture
def moving_back(tmp_path, monkeypatch) -> State:
    """The state before a move from dynoxide back to ministack, whose programs never start."""
    (tmp_path / "dynoxide").mkdir()
    for program in (stores.dynamodb, stores.dynoxide):
        monkeypatch.setattr(program, "start", lambda *_: True)
    return State("", Engine(1), Engine(2), holder=DYNOXIDE)


@contextmanager
def replying(reply: bytes | None) -> Iterator[int]:
    """The port of a server that replies once; None: where no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if reply is None:
            server.close()

        def answer() -> None:
            with suppress(OSError), server.accept()[0] as connection:
                connection.sendall(reply or b"")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):  # what is left unread would reset the connection
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        yield port
        thread.join()


HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"
ANOTHER_PROGRAM = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("program", [stores.dynamodb, stores.dynoxide])
@pytest.mark.parametrize(
    "reply",
    [None, b"", HALF, ANOTHER_PROGRAM],
    ids=["refused", "nothing", "half a reply", "another program"],
)
def test_a_program_that_does_not_answer_as_an_engine_is_none(program, reply) -> None:
    with replying(reply) as port:
        assert not program.answers(port)


@pytest.mark.parametrize("program", [stores.dynamodb, stores.dynoxide])
def test_a_program_that_does_not_stop_is_still_the_engine_s(tmp_path, monkeypatch, program) -> None:
    def refuse(*_: object) -> None:
        raise EngineError("it did not stop", "")

    running = psutil.Process()
    monkeypatch.setattr(processes, "end", refuse)
    monkeypatch.setattr(program, "running", lambda *_: running)
    engine = Engine(1, Process(running.pid, running.create_time()))
    with pytest.raises(EngineError):
        program.stop(program.Place.of_data(tmp_path), engine)
    assert engine.process is not None


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (None, "[Errno 111] Connection refused"),
        (b"", "Remote end closed connection without response"),
        (HALF, "IncompleteRead(2 bytes read, 8 more expected)"),
    ],
    ids=["refused", "nothing", "half a reply"],
)
def test_a_move_back_whose_program_does_not_answer_is_one_line(
    tmp_path, monkeypatch, moving_back, reply, reason
) -> None:
    with replying(reply) as port:
        monkeypatch.setattr(processes, "free_port", lambda _: port)
        with pytest.raises(EngineError) as caught:
            moving.move(tmp_path, moving_back, BINARY, lambda: None)
    problem = f"Could not move the data: The engine did not answer ListTables: {reason}"
    assert str(caught.value) == problem + STAYS
    assert moving_back.holder == DYNOXIDE


def test_a_move_back_to_a_full_disk_loses_nothing_and_says_so(
    tmp_path, monkeypatch, moving_back
) -> None:
    problem = "Persistence: failed to save dynamodb: [Errno 28] No space left on device"
    log = tmp_path / "move.log"
    monkeypatch.setattr(processes, "end", lambda *_: log.write_text(problem))
    monkeypatch.setattr(stores.dynamodb, "running", lambda *_: psutil.Process())
    monkeypatch.setattr(copying, "copy_tables", lambda *_: copying.Copied(1, 1))
    with pytest.raises(EngineError) as caught:
        moving.move(tmp_path, moving_back, BINARY, lambda: None)
    assert str(caught.value) == (
        "DynamoDB has ended, and could not save its data: [Errno 28] No space left on device."
        f" Free some space{STAYS}"
    )
    assert moving_back.holder == DYNOXIDE


START = """
import importlib, os, signal, sys
from pathlib import Path
from core.engines import Choice, start
folder, binary, engine, module, name, when, count = sys.argv[1:]
left = int(count)
home = importlib.import_module(module) if module else None
real = getattr(home, name, None)

def killed(*args, **kwargs):
    global left
    left -= 1
    if left == 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*args, **kwargs)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

if module:
    setattr(home, name, killed)
start(Path(folder), Choice(Path(binary), engine))
"""

STEPS = [
    ("core.engines.copying", "copy_tables", "before", 1),
    ("core.engines.copying", "_put", "after", 2),
    ("core.engines.copying", "copy_tables", "after", 1),
    ("core.engines.moving", "_sync", "before", 1),
    ("core.engines.moving", "_sync_folder", "after", 2),
    ("core.engines.moving", "finish", "before", 2),
    ("core.engines.moving", "finish", "after", 2),
]


def binary() -> Path:
    return Path(dynoxide.required_binary())


def start_in_another_process(folder: Path, engine: str, *step: object) -> int:
    words = [str(word) for word in (folder, binary(), engine, *(step or ("", "", "", 0)))]
    done = subprocess.run([sys.executable, "-c", START, *words], capture_output=True, text=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def programs_in(folder: Path) -> list[str]:
    """The folders of the DynamoDB programs that run below ``folder``."""
    running = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            place = Path(process.cwd())
            if folder in place.parents and "postgres" not in place.name:
                running.append(place.name)
    return sorted(running)


def test_down_also_ends_the_programs_that_a_killed_move_has_left(folder) -> None:
    engines.start(folder)
    items = fill(folder)
    step = ("core.engines.copying", "copy_tables", "after", 1)
    assert start_in_another_process(folder, DYNOXIDE, *step) == -signal.SIGKILL
    assert programs_in(folder) == ["dynamodb", "dynoxide.new"]
    engines.stop(folder)
    assert programs_in(folder) == []
    assert read_state(folder / "state.json").helpers == []
    engines.start(folder, Choice(binary(), MINISTACK))
    assert stored(folder) == items


@pytest.mark.deep
@pytest.mark.parametrize(("source", "target"), [(MINISTACK, DYNOXIDE), (DYNOXIDE, MINISTACK)])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step[1]}-{step[2]}")
def test_a_move_that_is_killed_loses_nothing_and_leaves_nothing_behind(
    folder, source, target, step
) -> None:
    engines.start(folder, Choice(binary(), source))
    items = fill(folder)
    assert start_in_another_process(folder, target, *step) == -signal.SIGKILL
    statuses = engines.start(folder, Choice(binary(), target))
    assert statuses[1].notes.startswith(f"in {target}")
    assert stored(folder) == items
    assert programs_in(folder) == sorted(["dynamodb", "dynoxide"][: 1 + (target == DYNOXIDE)])
    assert list(folder.glob("*.new")) == []
    assert (folder / "dynoxide").exists() is (target == DYNOXIDE)
    assert (folder / "dynamodb/state/dynamodb.json").exists() is False or target == MINISTACK


@pytest.mark.deep
def test_nothing_is_lost_in_dynoxide_when_it_is_killed_and_on_the_way_back(folder) -> None:
    engines.start(folder)
    fill(folder)
    statuses = engines.start(folder, Choice(binary(), DYNOXIDE))
    assert statuses[1].notes == f"in dynoxide, durable; moved 1 table with {ITEMS} items"
    assert [status.name for status in statuses] == ["postgres", "dynamodb", "aws"]
    late = TYPES | {"pk": {"S": "late"}, "sk": {"S": "9999"}}
    client(folder).put_item(TableName=NAME, Item=late)
    items = stored(folder)
    holder = psutil.Process(statuses[1].pid)
    holder.kill()
    holder.wait(10)
    assert engines.start(folder, Choice(binary()))[1].notes == "in dynoxide, durable"
    assert stored(folder) == items
    engines.start(folder, Choice(binary(), MINISTACK))
    assert stored(folder) == items
    engines.stop(folder)
    engines.start(folder, Choice(binary()))  # stays where the user put it
    assert read_state(folder / "state.json").holder == MINISTACK
    assert stored(folder) == items


@pytest.mark.deep
def test_data_without_a_state_file_is_found_again(folder) -> None:
    engines.start(folder, Choice(binary(), DYNOXIDE))
    items = fill(folder)
    engines.stop(folder)
    (folder / "state.json").unlink()
    engines.start(folder, Choice(binary()))
    assert stored(folder) == items
