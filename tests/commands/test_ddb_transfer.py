"""ddb.export and ddb.import: everything is exported and imported, nothing is overwritten."""

from __future__ import annotations

import itertools
import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from unguarded import make_table, open_table

from core.dynamodb import keys, retries
from core.dynamodb.dynamodb_json import canonical, raw_item
from core.dynamodb.patterns import reads
from core.dynamodb.schema import create_table, describe, drop_table
from core.dynamodb.table import Table
from core.dynamodb.transfer import exports, imports
from core.errors import InputError, UnreachableError
from core.settings import Settings
from core.targets import Environment, resolve

EVERY_TYPE = {
    "s": {"S": "text 🙂"},
    "n": {"N": "12345678901234567890.123"},
    "largest": {"N": "9.9999999999999999999999999999999999999E+125"},
    "smallest": {"N": "-1E-130"},
    "b": {"B": b"\x00\xff"},
    "ss": {"SS": ["b", "a"]},
    "ns": {"NS": ["1", "2.5"]},
    "bs": {"BS": [b"x", b"y"]},
    "m": {"M": {"deep": {"L": [{"N": "1"}, {"B": b"z"}, {"NULL": True}]}}},
    "t": {"BOOL": False},
}


def content(table: Table) -> list[str]:
    items = [canonical(raw_item(item)) for item in reads.scan(table)]
    return sorted(json.dumps(item, sort_keys=True) for item in items)


@pytest.fixture
def filled(seeded, messages) -> dict[str, str]:
    messages.request("put_item", Item=keys.key("OTHER#1", "x") | EVERY_TYPE)
    return seeded


@pytest.fixture
def other_env(table_env) -> dict[str, str]:
    """A second, empty table."""
    env = table_env | {"DDB_MESSAGE_TABLE": f"messages-{uuid.uuid4().hex[:12]}"}
    make_table(table_of(env))
    return env


def table_of(env: dict[str, str]) -> Table:
    return open_table(resolve(Settings.from_env(env), prod=False))


@pytest.fixture
def exported(run_invoke, filled, tmp_path) -> str:
    path = tmp_path / "items.jsonl"
    result = run_invoke("ddb.export", "--file", str(path), env=filled)
    assert result.returncode == 0, result.stderr
    return str(path)


def test_an_export_is_imported_complete(run_invoke, exported, messages, other_env) -> None:
    result = run_invoke("ddb.import", "--file", exported, env=other_env)
    assert result.returncode == 0, result.stderr
    assert content(table_of(other_env)) == content(messages)


def test_importing_twice_changes_nothing(run_invoke, exported, filled, messages) -> None:
    before = content(messages)
    result = run_invoke("ddb.import", "--file", exported, env=filled)
    assert (result.returncode, result.stdout.startswith("added 0 items")) == (0, True)
    assert content(messages) == before


def test_numbers_in_any_form_already_exist_the_second_time(run_invoke, table_env, tmp_path) -> None:
    path = tmp_path / "numbers.jsonl"
    numbers = {"n": {"N": "1.0"}, "ns": {"NS": ["1e3", "2.50"]}, "l": {"L": [{"N": "-0"}]}}
    path.write_text(json.dumps(keys.key("OTHER#1", "x") | numbers))
    results = [run_invoke("ddb.import", "--file", str(path), env=table_env) for _ in range(2)]
    assert [result.returncode for result in results] == [0, 0]
    assert "added 0 items; 1 already existed" in results[1].stdout


def test_an_attribute_that_is_called_as_a_type_differs_like_any_other(
    table_env, messages, tmp_path
) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps(keys.key("OTHER#1", "x") | {"SS": {"S": "mine"}}))
    messages.request("put_item", Item=keys.key("OTHER#1", "x") | {"SS": {"S": "theirs"}})
    done = imports.import_file(messages, path, lambda count, total: None)
    assert (done.present, done.differing) == (0, 1)


def test_a_different_item_is_not_imported_and_is_reported(
    run_invoke, exported, filled, messages
) -> None:
    changed = keys.key("OTHER#1", "x") | {"s": {"S": "mine"}}
    messages.request("put_item", Item=changed)
    result = run_invoke("ddb.import", "--file", exported, env=filled)
    assert result.returncode == 1
    assert "1 differing item left out: " in result.stderr
    key = keys.key("OTHER#1", "x")
    assert messages.request("get_item", Key=key)["Item"] == changed


def test_the_marker_is_not_exported(exported) -> None:
    assert '"ENV#"' not in Path(exported).read_text()


def test_standard_output_is_the_same_lines(run_invoke, filled, exported) -> None:
    lines = run_invoke("ddb.export", env=filled).stdout.splitlines()
    assert sorted(lines) == sorted(Path(exported).read_text().splitlines())


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '"x"',
        '{"pk": {"S": "a"}}',
        '{"pk": "a", "sk": "b"}',
        '{"pk": {"S": "a"}, "sk": {"S": "b"}, "x": {"Q": 1}}',
        '{"pk": {"S": "a"}, "sk": {"S": "b"}, "x": {"B": "%"}}',
        '{"pk": {"N": "1"}, "sk": {"S": "b"}}',
        '{"pk": {"S": "a"}, "sk": {"S": "b"}, "x": {"SS": "abc"}}',
        '{"pk": {"S": "GRP#x"}, "sk": {"S": "2025"}, "message": {"N": "1e99999"}}',
        '{"pk": {"S": "a"}, "sk": {"S": "b"}, "x": {"L": [{"NS": ["1", "1e126"]}]}}',
        '{"pk": {"S": "a"}, "sk": {"S": "b"}, "\\ud800": {"S": "x"}}',
        '{"pk": {"S": "a"}, "sk": {"S": "b"}, "x": ' + '{"L": [' * 5000,
        '{"pk": {"S": "a"}, "sk": {"S": "b"}, "x": ' + '{"L": [' * 200 + "]}" * 200 + "}",
    ],
)
def test_a_line_that_is_not_an_item_is_named_and_nothing_is_written(
    run_invoke, table_env, messages, tmp_path, line
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"pk":{"S":"a"},"sk":{"S":"b"}}\n\n' + line + "\n")
    result = run_invoke("ddb.import", "--file", str(path), env=table_env)
    assert result.returncode == 1
    assert "line 3" in result.stderr
    assert len(list(reads.scan(messages))) == 1


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('{"pk":{"S":"a"},"sk":{"S":"c"},"pk":{"S":"d"}}', "pk"),
        ('{"pk":{"S":"a"},"sk":{"S":"c","S":"d"}}', "S"),
        ('{"pk":{"S":"a"},"sk":{"S":"c"},"x":{"L":[{"M":{"y":{"N":"1"},"y":{"N":"2"}}}]}}', "y"),
    ],
)
def test_a_line_that_names_something_twice_is_refused_and_nothing_is_written(
    run_invoke, table_env, messages, tmp_path, line, name
) -> None:
    path = tmp_path / "twice.jsonl"
    path.write_text('{"pk":{"S":"a"},"sk":{"S":"b"}}\n' + line + "\n")
    result = run_invoke("ddb.import", "--file", str(path), env=table_env)
    assert result.returncode == 1
    assert f'{path}, line 2: "{name}" occurs more than once' in result.stderr
    assert len(list(reads.scan(messages))) == 1, "the environment marker"


def test_an_item_that_dynamodb_refuses_is_named(run_invoke, table_env, messages, tmp_path) -> None:
    path = tmp_path / "large.jsonl"
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    large = item | {"sk": {"S": "c"}, "text": {"S": "x" * 410_000}}
    path.write_text("".join(json.dumps(line) + "\n" for line in (item, large)))
    result = run_invoke("ddb.import", "--file", str(path), env=table_env)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 2, "one line, and what to do"
    assert "line 2: DynamoDB refused PutItem (ValidationException)" in result.stderr


@pytest.fixture
def small_pages(monkeypatch) -> None:
    """Ten items a page, so that an export takes several."""
    request = Table.request

    def few_at_a_time(self, operation, **params):
        limit = {"Limit": 10} if operation == "scan" else {}
        return request(self, operation, **params | limit)

    monkeypatch.setattr(Table, "request", few_at_a_time)


def test_an_interrupted_export_resumes(filled, messages, tmp_path, small_pages) -> None:
    path = tmp_path / "items.jsonl"

    def cut_off(count: int, total: int | None) -> None:
        if count >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exports.export_file(messages, path, cut_off)
    assert not path.exists()
    with (tmp_path / "items.jsonl.part").open("a") as part:
        part.write('{"half a line')
    seen: list[int] = []
    count = exports.export_file(messages, path, lambda count, total: seen.append(count))
    assert seen[0] > 20
    assert len(path.read_text().splitlines()) == count == len(content(messages)) - 1
    assert sorted(file.name for file in tmp_path.iterdir() if "items" in file.name) == [
        "items.jsonl"
    ]


def modes_in(folder: Path) -> dict[str, str]:
    return {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}


def test_only_the_owner_may_read_an_export_whatever_the_umask(
    filled, messages, tmp_path, small_pages
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    path = folder / "items.jsonl"
    path.with_name("items.jsonl.part").touch(mode=0o644)  # an older version's
    on_the_way: list[dict[str, str]] = []
    umask = os.umask(0)
    try:
        exports.export_file(messages, path, lambda *_: on_the_way.append(modes_in(folder)))
    finally:
        os.umask(umask)
    assert on_the_way[0] == {"items.jsonl.part": "0o600", "items.jsonl.part.json": "0o600"}
    assert modes_in(folder) == {"items.jsonl": "0o600"}


def test_only_the_owner_may_read_an_export_over_a_file_that_all_could_read(
    filled, messages, tmp_path
) -> None:
    path = tmp_path / "items.jsonl"
    path.touch(mode=0o644)
    exports.export_file(messages, path, lambda *_: None)
    assert modes_in(tmp_path)["items.jsonl"] == "0o600"


def test_an_export_of_another_table_is_not_resumed(filled, messages, tmp_path, small_pages) -> None:
    """The same name at another endpoint, in another account, or created again."""
    path = tmp_path / "items.jsonl"

    def cut_off(count: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exports.export_file(messages, path, cut_off)
    drop_table(messages)
    create_table(messages, Environment.LOCAL)
    item = keys.key("OTHER#1", "x")
    messages.request("put_item", Item=item)
    assert exports.export_file(messages, path, lambda count, total: None) == 1
    assert json.loads(path.read_text()) == item


def test_a_saved_position_without_its_part_file_is_ignored(
    filled, messages, tmp_path, small_pages
) -> None:
    path = tmp_path / "items.jsonl"

    def cut_off(count: int, total: int | None) -> None:
        if count > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exports.export_file(messages, path, cut_off)
    (tmp_path / "items.jsonl.part").write_text("")  # killed at its first page
    count = exports.export_file(messages, path, lambda count, total: None)
    assert len(path.read_text().splitlines()) == count == len(content(messages)) - 1


@pytest.mark.parametrize(
    "place",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"of": [], "items": 1}',
        '{"of": OF, "items": "abc", "bytes": 0, "after": {}}',
        '{"of": OF, "items": 1, "bytes": -1, "after": {}}',
        '{"of": OF, "items": 1, "bytes": 0, "after": 7}',
    ],
    ids=range(7),
)
def test_a_damaged_position_is_ignored(filled, messages, tmp_path, place) -> None:
    path = tmp_path / "items.jsonl"
    identity = exports._identity(messages, describe(messages))
    (tmp_path / "items.jsonl.part").write_text("half a line")
    (tmp_path / "items.jsonl.part.json").write_text(place.replace("OF", json.dumps(identity)))
    count = exports.export_file(messages, path, lambda count, total: None)
    assert len(path.read_text().splitlines()) == count == len(content(messages)) - 1


SLOWER = ClientError(
    {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slower"}}, "Scan"
)
SILENCE = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


@pytest.fixture
def failing(monkeypatch) -> Callable[..., AbstractContextManager[None]]:
    """Lets an operation fail two times of three, longer than the SDK retries."""

    @contextmanager
    def failing(table: Table, operation: str, error: Exception) -> Iterator[None]:
        real, calls = getattr(table.client, operation), itertools.count()

        def request(**params):
            if next(calls) % 3:
                raise error
            return real(**params)

        with monkeypatch.context() as patch:
            patch.setattr(table.client, operation, request)
            patch.setattr("core.dynamodb.retries.time.sleep", lambda seconds: None)
            yield

    return failing


@pytest.mark.parametrize("error", [SLOWER, SILENCE], ids=["throttled", "silent"])
def test_a_table_that_fails_for_a_while_is_exported_and_imported_completely(
    filled, other_env, messages, failing, tmp_path, small_pages, error
) -> None:
    path = tmp_path / "items.jsonl"
    items_before = content(messages)
    with failing(messages, "scan", error):
        exports.export_file(messages, path, lambda count, total: None)
    table = table_of(other_env)
    with failing(table, "batch_execute_statement", error):
        done = imports.import_file(table, path, lambda count, total: None)
    assert (done.added, done.differing) == (len(items_before) - 1, 0)
    assert content(table) == items_before


def test_a_store_that_is_silent_from_the_start_is_asked_once(messages, monkeypatch) -> None:
    calls = itertools.count()

    def scan(**params):
        next(calls)
        raise SILENCE

    monkeypatch.setattr(messages.client, "scan", scan)
    with pytest.raises(UnreachableError):
        list(exports.export_lines(messages))
    assert next(calls) == 1


@pytest.mark.parametrize(
    "task", [("export",), ("export", "--file", "x.jsonl"), ("import", "--file", "x.jsonl")]
)
def test_a_missing_server_is_reported_in_seconds(run_invoke, bare_env, task) -> None:
    began = time.monotonic()
    env = bare_env | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    result = run_invoke(f"ddb.{task[0]}", *task[1:], env=env)
    assert (result.returncode, "invoke up" in result.stderr) == (1, True)
    assert time.monotonic() - began < retries.SILENCE_S


def test_a_silent_store_is_waited_for_half_a_minute(monkeypatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("core.dynamodb.retries.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("core.dynamodb.retries.time.sleep", lambda seconds: None)

    def act() -> None:
        clock[0] += 4.0
        raise UnreachableError("dynamodb does not answer")

    with pytest.raises(UnreachableError):
        retries.retry_while_busy(act)
    assert retries.SILENCE_S <= clock[0] <= retries.SILENCE_S + 4.0


def test_an_import_that_is_interrupted_waits_for_no_throttled_table(
    exported, other_env, monkeypatch
) -> None:
    table = table_of(other_env)
    # A simulated signal would not wake a main thread that waits for a lock.
    main = threading.main_thread().ident
    presses = iter([lambda: signal.pthread_kill(main, signal.SIGINT)])

    def throttle(**params):
        if (press := next(presses, None)) is not None:
            press()
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "BatchExecuteStatement")

    monkeypatch.setattr(table.client, "batch_execute_statement", throttle)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        imports.import_file(table, Path(exported), lambda count, total: None)
    assert time.monotonic() - began < retries.LONG_S / 10


def test_of_two_exports_to_one_file_one_is_refused(filled, messages, tmp_path) -> None:
    path = tmp_path / "items.jsonl"

    def another(count: int, total: int | None) -> None:
        with pytest.raises(InputError, match="Another export is writing"):
            exports.export_file(messages, path, lambda count, total: None)

    count = exports.export_file(messages, path, another)
    assert len(path.read_text().splitlines()) == count == len(content(messages)) - 1


def test_an_export_onto_a_link_is_where_that_leads(filled, messages, tmp_path) -> None:
    link, path = tmp_path / "link", tmp_path / "items.jsonl"
    link.symlink_to(path)
    exports.export_file(messages, link, lambda count, total: None)
    assert (link.is_symlink(), len(path.read_text().splitlines())) == (
        True,
        len(content(messages)) - 1,
    )


def test_a_missing_table_leaves_no_file(run_invoke, bare_env, tmp_path) -> None:
    path = tmp_path / "items.jsonl"
    result = run_invoke("ddb.export", "--file", str(path), env=bare_env)
    assert (result.returncode, "invoke ddb.schema-load" in result.stderr) == (1, True)
    assert not list(tmp_path.glob("items*"))


def test_rows_that_have_moved_on_since_the_export_stay_where_they_are(
    run_invoke, exported, filled, messages
) -> None:
    for text in ("one more", "and another"):
        run_invoke(
            *("ddb.patterns.create-message", "--user", "andrewbrown", "--with", "bayko"),
            *("--message", text),
            env=filled,
        )
    before = content(messages)
    result = run_invoke("ddb.import", "--file", exported, env=filled)
    assert (result.returncode, result.stdout.startswith("added 0 items")) == (0, True)
    assert content(messages) == before


def test_a_terminal_without_unicode_gets_every_character(
    run_invoke, filled, exported, messages, other_env
) -> None:
    lines = run_invoke("ddb.export", env=filled | {"PYTHONIOENCODING": "ascii"}).stdout
    Path(exported).write_text(lines, encoding="ascii")
    assert run_invoke("ddb.import", "--file", exported, env=other_env).returncode == 0
    assert content(table_of(other_env)) == content(messages)


def test_a_table_with_other_keys_is_exported_too(messages, tmp_path) -> None:
    messages.client.create_table(
        TableName=messages.name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    messages.request("put_item", Item={"id": {"S": "1"}})
    path = tmp_path / "items.jsonl"
    assert exports.export_file(messages, path, lambda count, total: None) == 1
    assert json.loads(path.read_text()) == {"id": {"S": "1"}}


def test_an_import_reports_its_progress(exported, other_env) -> None:
    progress: list[tuple[int, int | None]] = []
    imports.import_file(
        table_of(other_env), Path(exported), lambda *counts: progress.append(counts)
    )
    lines = len(Path(exported).read_text().splitlines())
    assert progress[-1] == (lines, lines)


def test_an_import_into_production_needs_the_name(run_invoke, exported, filled, messages) -> None:
    marker = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
    messages.request("put_item", Item=marker)
    result = run_invoke("ddb.import", "--file", exported, env=filled)
    assert (result.returncode, "--confirm" in result.stderr) == (1, True)


def test_a_dry_import_writes_nothing(run_invoke, exported, other_env) -> None:
    result = run_invoke("--dry", "ddb.import", "--file", exported, env=other_env)
    assert "would send dynamodb PutItem" in result.stdout
    assert len(content(table_of(other_env))) == 1


@pytest.mark.parametrize(
    ("task", "options", "code"),
    [
        ("import", (), 2),
        ("import", ("--file", "/nonexistent/x"), 1),
        ("import", ("--file", "."), 1),
        ("export", ("--file", "/nonexistent/x"), 1),
        ("export", ("--file", "x", "--json"), 2),
    ],
)
def test_bad_options_are_one_line(run_invoke, table_env, task, options, code) -> None:
    result = run_invoke(f"ddb.{task}", *options, env=table_env)
    assert result.returncode == code
    assert result.stdout == ""


def test_a_device_or_pipe_is_never_replaced_by_the_export(run_invoke, filled, tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    result = run_invoke("ddb.export", "--file", str(pipe), env=filled)
    assert (result.returncode, pipe.is_fifo()) == (1, True)
    assert "is not a regular file" in result.stderr
    assert [path.name for path in tmp_path.glob("pipe*")] == ["pipe"]


@pytest.mark.parametrize("name", ["", "x" * 400, "no/such/folder"])
def test_a_path_that_cannot_be_written_is_reported(run_invoke, filled, tmp_path, name) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    result = run_invoke("ddb.export", "--file", str(folder / name), env=filled)
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 2)
    assert not list(tmp_path.glob("*.part"))


def test_a_file_that_can_be_read_only_once_is_not_imported(
    run_invoke, exported, other_env, tmp_path
) -> None:
    lines = Path(exported).read_text()
    result = run_invoke("ddb.import", "--file", "/dev/stdin", env=other_env, stdin=lines)
    assert result.returncode == 1
    assert "is not a regular file" in result.stderr


def test_what_aws_s_own_tool_scanned_is_imported(run_invoke, seeded, messages, tmp_path) -> None:
    scanned = run_invoke("ddb.scan", "--raw", env=seeded).stdout.splitlines()
    before = content(messages)
    path = tmp_path / "scan.json"
    items = [json.loads(line) for line in scanned]
    path.write_text(json.dumps({"Items": items, "Count": len(items)}, indent=4))
    for item in [item for item in items if item["pk"]["S"].startswith("MSG#")][:20]:
        messages.request("delete_item", Key={"pk": item["pk"], "sk": item["sk"]})
    result = run_invoke("ddb.import", "--file", str(path), env=seeded)
    assert result.returncode == 0, result.stderr
    assert content(messages) == before
