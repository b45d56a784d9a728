"""The follower, against a model of DynamoDB's streams: shards that split, close and expire.

The rules are those of the API reference:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from core.dynamodb.stream.shards import Checkpoint, Follower
from core.dynamodb.table import Table
from core.errors import MissingSchemaError, StoreError
from core.targets import AwsTarget

NOWHERE = AwsTarget("http://model", "us-east-1", placeholder_credentials=True)
PAGE = 2
"""The number of shards per DescribeStream, and of records per GetRecords."""


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Any")


class Shard:
    def __init__(self, parent: str | None) -> None:
        self.parent = parent
        self.records: list[int] = []
        self.trimmed = 0
        self.is_closed = False


class Streams:
    """A table's streams, the newest last, and their client."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.streams: dict[str, dict[str, Shard]] = {}
        self.is_on = False
        self.has_table = True
        self.iterators: dict[str, tuple[Shard, int]] = {}
        self.turn_on()

    @property
    def shards(self) -> dict[str, Shard]:
        return self.streams[self.arn]

    def turn_on(self, shard: str = "") -> None:
        self.arn = f"stream-{next(self.numbers)}"
        self.streams[self.arn] = {shard or f"shard-{next(self.numbers)}": Shard(None)}
        self.is_on = True

    def turn_off(self) -> None:
        self.is_on = False
        for shard in self.shards.values():
            shard.is_closed = True

    def open_shards(self) -> list[str]:
        return [name for name, shard in self.shards.items() if not shard.is_closed]

    def write(self, which: int) -> tuple[str, int]:
        """A record in one of the open shards; the shard's name and the record's number."""
        name = self.open_shards()[which % len(self.open_shards())]
        number = next(self.numbers)
        self.shards[name].records.append(number)
        return name, number

    def split(self, which: int, children: int) -> None:
        name = self.open_shards()[which % len(self.open_shards())]
        self.shards[name].is_closed = True
        for _ in range(children):
            self.shards[f"shard-{next(self.numbers)}"] = Shard(name)

    def _stream(self, arn: str) -> dict[str, Shard]:
        if arn not in self.streams:
            raise refusal("ResourceNotFoundException")
        return self.streams[arn]

    # The clients, of the table and of its streams

    def describe_table(self, TableName: str) -> dict[str, Any]:
        if not self.has_table:
            raise refusal("ResourceNotFoundException")
        stream = {"StreamEnabled": self.is_on, "StreamViewType": "NEW_IMAGE"}
        return {"Table": {"LatestStreamArn": self.arn, "StreamSpecification": stream}}

    def describe_stream(
        self, StreamArn: str, ExclusiveStartShardId: str | None = None
    ) -> dict[str, Any]:
        shards = self._stream(StreamArn)
        names = list(shards)
        start = names.index(ExclusiveStartShardId) + 1 if ExclusiveStartShardId else 0
        page = names[start : start + PAGE]
        listed = [
            {"ShardId": name}
            | ({"ParentShardId": parent} if (parent := shards[name].parent) else {})
            for name in page
        ]
        is_on = self.is_on and StreamArn == self.arn
        more = {"LastEvaluatedShardId": page[-1]} if names[start + PAGE :] else {}
        status = "ENABLED" if is_on else "DISABLED"
        return {"StreamDescription": {"Shards": listed, "StreamStatus": status} | more}

    def get_shard_iterator(
        self, StreamArn: str, ShardId: str, ShardIteratorType: str, SequenceNumber: str = ""
    ) -> dict[str, str]:
        shard = self._stream(StreamArn).get(ShardId)
        if shard is None:
            raise refusal("ResourceNotFoundException")
        place = len(shard.records) if ShardIteratorType == "LATEST" else shard.trimmed
        if ShardIteratorType == "AFTER_SEQUENCE_NUMBER":
            place = shard.records.index(int(SequenceNumber)) + 1
            if place <= shard.trimmed:
                raise refusal("TrimmedDataAccessException")
        return {"ShardIterator": self._iterator(shard, place)}

    def _iterator(self, shard: Shard, place: int) -> str:
        name = f"iterator-{next(self.numbers)}"
        self.iterators[name] = (shard, place)
        return name

    def get_records(self, ShardIterator: str, Limit: int) -> dict[str, Any]:
        if ShardIterator not in self.iterators:
            raise refusal("ExpiredIteratorException")
        shard, place = self.iterators[ShardIterator]
        if place < shard.trimmed:
            raise refusal("TrimmedDataAccessException")
        page = shard.records[place : place + min(PAGE, Limit)]
        records = [{"dynamodb": {"SequenceNumber": str(number)}} for number in page]
        reached = place + len(page)
        if shard.is_closed and reached == len(shard.records):
            return {"Records": records}
        return {"Records": records, "NextShardIterator": self._iterator(shard, reached)}


class Following(RuleBasedStateMachine):
    """A reader of such a stream gets each record, in order, a shard's after its parent's."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.streams = Streams()
        self.expected: list[tuple[str, int]] = []
        self.met: list[int] = []
        self.path = self.folder / f"{id(self)}.json"
        self.path.unlink(missing_ok=True)
        self.kill()

    @rule()
    def kill(self) -> None:
        """The process was killed; another one begins with its files."""
        arn = self.streams.arn
        table = Table(self.streams, "messages", NOWHERE)
        self.follower = Follower(table, self.streams, arn, Checkpoint(self.path, arn))

    @rule(which=st.integers(0, 9))
    def write(self, which: int) -> None:
        self.expected.append(self.streams.write(which))

    @rule(which=st.integers(0, 9), children=st.integers(1, 2))
    def split(self, which: int, children: int) -> None:
        self.streams.split(which, children)

    @precondition(lambda self: self.streams.iterators)
    @rule(which=st.integers(0, 99))
    def expire(self, which: int) -> None:
        names = sorted(self.streams.iterators)
        del self.streams.iterators[names[which % len(names)]]

    @rule(which=st.integers(0, 9))
    def trim(self, which: int) -> None:
        """Records that were read are older than 24 hours."""
        shard = list(self.streams.shards.values())[which % len(self.streams.shards)]
        met = [number in self.met for number in shard.records]
        shard.trimmed = met.index(False) if False in met else len(met)

    @rule()
    def forget_a_shard(self) -> None:
        """A closed shard that was read to its end is no longer listed."""
        for name, shard in list(self.streams.shards.items()):
            if (
                shard.is_closed
                and set(shard.records) <= set(self.met)
                and len(self.streams.shards) > 1
            ):
                del self.streams.shards[name]
                break

    @rule(outcomes=st.lists(st.sampled_from(["done", "again", "crash"]), min_size=1, max_size=9))
    def poll(self, outcomes: list[str]) -> None:
        chosen = itertools.cycle(outcomes)
        for batch in self.follower.poll():
            outcome = next(chosen)
            numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in batch.records]
            if outcome == "again":
                self.follower.again(batch)
                continue
            self.meet(numbers)
            if outcome == "crash":
                self.kill()
                return
            self.follower.done(batch)

    def meet(self, numbers: list[int]) -> None:
        """A record comes first only after all records before it in its shard and its parents."""
        for number in numbers:
            if number not in self.met:
                before = self.before(number)
                assert before <= set(self.met), (number, before)
                self.met.append(number)

    def before(self, number: int) -> set[int]:
        shards = self.streams.shards
        (name,) = [name for name, shard in shards.items() if number in shard.records]
        earlier = {record for record in shards[name].records if record < number}
        while (name := shards[name].parent or "") in shards:
            earlier |= set(shards[name].records)
        return earlier

    def teardown(self) -> None:
        rounds = 0
        while missing := {number for _, number in self.expected} - set(self.met):
            self.poll(["done"])
            rounds += 1
            assert rounds < 10 + 2 * len(self.expected) + 2 * len(self.streams.shards), missing
        for _ in range(3):
            self.poll(["done"])
        assert not list(self.follower.poll()), "what was dealt with is delivered again"


def test_every_record_is_delivered_in_order_whatever_happens_to_shards_iterators_and_readers(
    tmp_path, examples
) -> None:
    class InFolder(Following):
        folder = tmp_path

    run_state_machine_as_test(
        InFolder,
        settings=settings(
            max_examples=examples(200),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.fixture
def follower(streams, tmp_path) -> Follower:
    table = Table(streams, "messages", NOWHERE)
    return Follower(table, streams, streams.arn, Checkpoint(tmp_path / "place", streams.arn))


def meet(follower: Follower, numbers: list[int], rounds: int = 5) -> list[int]:
    for _ in range(rounds):
        for batch in follower.poll():
            numbers += [int(record["dynamodb"]["SequenceNumber"]) for record in batch.records]
            follower.done(batch)
    return numbers


def test_a_stream_that_was_turned_off_and_on_again_is_followed_to_its_end_and_on(
    streams, follower, tmp_path
) -> None:
    _, first = streams.write(0)
    streams.turn_off()
    streams.turn_on()
    _, second = streams.write(0)
    assert meet(follower, []) == [first, second]
    later = Follower(
        follower.table, streams, streams.arn, Checkpoint(tmp_path / "place", streams.arn)
    )
    assert meet(later, []) == []


def test_a_deleted_stream_is_replaced_by_the_newest(streams, follower) -> None:
    del streams.streams[streams.arn]
    streams.turn_on()
    _, number = streams.write(0)
    assert meet(follower, []) == [number]


def test_a_stream_that_was_turned_off_is_read_to_its_end_and_reported(streams, follower) -> None:
    numbers = [streams.write(0)[1] for _ in range(5)]
    streams.turn_off()
    seen: list[int] = []
    with pytest.raises(MissingSchemaError, match="is off"):
        meet(follower, seen)
    assert seen == numbers


def test_a_deleted_table_is_reported(streams, follower) -> None:
    del streams.streams[streams.arn]
    streams.has_table = False
    with pytest.raises(MissingSchemaError, match="no table messages"):
        meet(follower, [])


def test_a_table_that_was_created_again_is_followed_though_its_old_stream_seems_on(
    streams, follower, monkeypatch
) -> None:
    """As engines other than AWS report it."""
    first = [streams.write(0)[1] for _ in range(PAGE + 1)]
    describe = streams.describe_stream

    def always_on(**params: Any) -> dict[str, Any]:
        reply = describe(**params)
        return {"StreamDescription": reply["StreamDescription"] | {"StreamStatus": "ENABLED"}}

    monkeypatch.setattr(streams, "describe_stream", always_on)
    streams.turn_on()
    _, second = streams.write(0)
    assert meet(follower, []) == [*first, second]


def test_a_stream_that_was_turned_off_is_not_left_in_a_round_without_records(
    streams, follower
) -> None:
    """The iterators expire between two rounds."""
    numbers = [streams.write(0)[1] for _ in range(PAGE + 1)]
    seen = meet(follower, [], rounds=1)
    streams.iterators.clear()
    streams.turn_off()
    streams.turn_on()
    assert meet(follower, seen) == numbers


@pytest.fixture
def only_shard(streams) -> str:
    """A stream's one shard, which has the same name in each stream, as some engines name it."""
    streams.turn_on("the only shard")
    return "the only shard"


def test_a_shard_of_the_name_of_one_before_is_read_from_its_first_record(
    streams, only_shard, follower
) -> None:
    _, first = streams.write(0)
    assert meet(follower, []) == [first]
    del streams.streams[streams.arn]
    streams.turn_on(only_shard)
    _, second = streams.write(0)
    assert meet(follower, []) == [second]


def test_the_place_in_a_stream_does_not_count_in_the_next_one(
    streams, only_shard, follower, tmp_path
) -> None:
    streams.write(0)
    meet(follower, [])
    streams.turn_on(only_shard)
    _, number = streams.write(0)
    place = Checkpoint(tmp_path / "place", streams.arn)
    assert meet(Follower(follower.table, streams, streams.arn, place), []) == [number]


def test_the_checkpoint_forgets_shards_that_the_stream_no_longer_has(
    streams, follower, tmp_path
) -> None:
    gone, _ = streams.write(0)
    streams.split(0, 1)
    meet(follower, [])
    del streams.shards[gone]
    child, _ = streams.write(0)
    meet(follower, [])
    assert list(json.loads((tmp_path / "place").read_text())["shards"]) == [child]


def test_a_process_that_is_killed_while_it_notes_its_place_leaves_the_one_before(
    tmp_path, monkeypatch
) -> None:
    path = tmp_path / "place"
    Checkpoint(path, "arn").store("shard", "1")

    def write_half(draft: Path, text: str) -> None:
        draft.write_bytes(text[:9].encode())
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", write_half)
    with pytest.raises(KeyboardInterrupt):
        Checkpoint(path, "arn").store("shard", "2")
    assert Checkpoint(path, "arn").sequence_number("shard") == "1"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "\x00", "[" * 100_000], ids=range(6))
def test_a_damaged_checkpoint_is_reported_with_its_path(tmp_path, content) -> None:
    path = tmp_path / "place"
    path.write_text(content)
    with pytest.raises(StoreError, match=r"place is damaged\. Delete it"):
        Checkpoint(path, "arn")
