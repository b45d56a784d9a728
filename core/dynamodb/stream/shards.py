"""Reads the table's stream from any DynamoDB endpoint, resuming where the last run stopped.

Shards are read parents first, as DynamoDB requires to keep the order of one item's changes:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore.exceptions

from core.aws.clients import translating
from core.commands import option
from core.dynamodb.elsewhere import missing_table
from core.dynamodb.schema import describe, shows_new_images, stream_is_on
from core.dynamodb.table import Table, open_client
from core.errors import MissingSchemaError, StoreError

BATCH = 1000
"""Records a GetRecords request returns at most."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one shard, in order. Call :meth:`Follower.done` once they are processed."""

    shard_id: str
    records: list[Mapping[str, Any]]

    @property
    def newest_at(self) -> datetime | None:
        """When the last of the records was written, to the second."""
        created = self.records[-1].get("dynamodb", {}).get("ApproximateCreationDateTime")
        return created if isinstance(created, datetime) else None


class Checkpoint:
    """The position in each shard, in a file that survives ``kill -9``.

    ``None`` for a shard means that it was read to its end and is closed.
    """

    _shards: dict[str, str | None]

    def __init__(self, path: Path, stream_arn: str) -> None:
        self._path = path
        self.begin(stream_arn)
        if path.is_file():
            try:
                stored = json.loads(path.read_text())
                if stored["stream"] == stream_arn:
                    self._shards = dict(stored["shards"])
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise StoreError(f"The checkpoint {path} is damaged", "Delete it.") from error

    def begin(self, stream_arn: str) -> None:
        """Start again for this stream: forget the positions in all others."""
        self._stream_arn = stream_arn
        self._shards = {}

    def knows(self, shard_id: str) -> bool:
        return shard_id in self._shards

    def sequence_number(self, shard_id: str) -> str | None:
        return self._shards.get(shard_id)

    def is_finished(self, shard_id: str) -> bool:
        return self.knows(shard_id) and self._shards[shard_id] is None

    def store(self, shard_id: str, sequence_number: str | None) -> None:
        self._shards[shard_id] = sequence_number
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".tmp")
        draft.write_text(json.dumps({"stream": self._stream_arn, "shards": self._shards}))
        draft.replace(self._path)

    def forget_all_but(self, shard_ids: set[str]) -> None:
        """Drop what is kept of shards that the stream no longer has."""
        self._shards = {
            shard_id: place for shard_id, place in self._shards.items() if shard_id in shard_ids
        }


def stream_arn(table: Table) -> str:
    """The ARN of the table's stream.

    Raises:
        MissingSchemaError: there is no table, or its stream is off, or has no new images.
    """
    description = describe(table)
    if description is None:
        raise missing_table(table)
    arn = description.get("LatestStreamArn")
    if not arn or not stream_is_on(description):
        raise MissingSchemaError(
            f"The stream of table {table.name} is off",
            f"Turn it on with view type NEW_IMAGE: {turning_on(table)}",
        )
    if not shows_new_images(description):
        raise MissingSchemaError(
            f"The stream of table {table.name} does not contain what was written",
            "If nothing else reads it, turn it off, then on with view type NEW_IMAGE:"
            f" {turning_on(table)}",
        )
    return str(arn)


def turning_on(table: Table) -> str:
    """The command that turns the table's stream on."""
    place = table.target.endpoint_url
    return (
        f"aws dynamodb update-table {option('--table-name', table.name)}"
        " --stream-specification StreamEnabled=true,StreamViewType=NEW_IMAGE"
        + (f" {option('--endpoint-url', place)}" if place else "")
    )


@dataclass(slots=True)
class Follower:
    """Reads a stream batch by batch. ``client`` is a client of ``dynamodbstreams``.

    A stream that was turned off is read to its end; then the one that followed it is read, whose
    ARN is another. What was written in between is in neither. A quiet round describes the table.
    """

    table: Table
    client: Any
    arn: str
    checkpoint: Checkpoint
    _iterators: dict[str, str] = field(default_factory=dict)

    def poll(self) -> Iterator[Batch]:
        """One round over the shards that are open to read; at most one batch of each.

        Raises:
            MissingSchemaError: the table is gone, or its stream was turned off.
        """
        is_on, shards = self._describe()
        is_quiet = True
        self.checkpoint.forget_all_but(set(shards))
        for shard_id, shard in shards.items():
            parent = shard.get("ParentShardId")
            waits = parent in shards and not self.checkpoint.is_finished(str(parent))
            if not waits and not self.checkpoint.is_finished(shard_id):
                for batch in self._read(shard_id):
                    is_quiet = False
                    yield batch
        # A stream that was turned off is read to its end first. Engines other than AWS may report a
        # stream as on although its table is deleted.
        if is_quiet and (is_on or all(map(self.checkpoint.is_finished, shards))):
            newest = stream_arn(self.table)
            if newest != self.arn:
                self._begin(newest)

    def _begin(self, arn: str) -> None:
        self.arn = arn
        self._iterators.clear()
        self.checkpoint.begin(arn)

    def done(self, batch: Batch) -> None:
        """Note that ``batch`` was handled: a later run starts after it."""
        last = batch.records[-1]["dynamodb"]["SequenceNumber"]
        self.checkpoint.store(batch.shard_id, str(last))

    def again(self, batch: Batch) -> None:
        """Deliver ``batch`` again in the next round."""
        self._iterators.pop(batch.shard_id, None)

    def _describe(self) -> tuple[bool, dict[str, dict[str, Any]]]:
        """Whether the stream is on, and its shards by their ids."""
        shards: dict[str, dict[str, Any]] = {}
        start: dict[str, str] = {}
        while True:
            try:
                with translating("dynamodb", self.table.target):
                    reply = self.client.describe_stream(StreamArn=self.arn, **start)
            except MissingSchemaError:
                if (arn := stream_arn(self.table)) == self.arn:
                    raise
                self._begin(arn)
                return self._describe()
            description = reply["StreamDescription"]
            shards |= {shard["ShardId"]: shard for shard in description["Shards"]}
            if not (last := description.get("LastEvaluatedShardId")):
                return description.get("StreamStatus") != "DISABLED", shards
            start = {"ExclusiveStartShardId": last}

    def _read(self, shard_id: str) -> Iterator[Batch]:
        with translating("dynamodb", self.table.target):
            try:
                iterator = self._iterators.pop(shard_id, None) or self._iterator(shard_id)
                reply = self.client.get_records(ShardIterator=iterator, Limit=BATCH)
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] not in _NO_LONGER:
                    raise
                return  # the next round takes a fresh one, or has no such shard any more
        following = reply.get("NextShardIterator")
        if following:
            self._iterators[shard_id] = following
        if reply["Records"]:
            yield Batch(shard_id, reply["Records"])
        # A batch that is to be delivered again has dropped its iterator by now.
        if following is None and (not reply["Records"] or self._dealt_with(shard_id, reply)):
            self.checkpoint.store(shard_id, None)

    def _dealt_with(self, shard_id: str, reply: Mapping[str, Any]) -> bool:
        last = str(reply["Records"][-1]["dynamodb"]["SequenceNumber"])
        return self.checkpoint.sequence_number(shard_id) == last

    def _iterator(self, shard_id: str) -> str:
        place = self.checkpoint.sequence_number(shard_id)
        start = {"ShardIteratorType": "TRIM_HORIZON"}
        if place is not None:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": place}
        try:
            reply = self.client.get_shard_iterator(StreamArn=self.arn, ShardId=shard_id, **start)
        except botocore.exceptions.ClientError as error:
            if place is None or error.response["Error"]["Code"] not in _TRIMMED:
                raise
            # What came after the checkpoint is older than the 24 hours a stream keeps.
            reply = self.client.get_shard_iterator(
                StreamArn=self.arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
            )
        return str(reply["ShardIterator"])


_NO_LONGER = {
    "ExpiredIteratorException",
    "ResourceNotFoundException",
    "TrimmedDataAccessException",
}
_TRIMMED = {"TrimmedDataAccessException", "ValidationException"}


def open_follower(table: Table, folder: Path) -> Follower:
    """A follower of the table's stream that keeps its place in ``folder``, one file a table.

    Raises:
        MissingSchemaError: there is no table, or its stream is off.
    """
    arn = stream_arn(table)
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in table.name)
    checkpoint = Checkpoint(folder / f"stream-{safe}.json", arn)
    client = open_client(table.target, "dynamodbstreams", table.purpose)
    return Follower(table, client, arn, checkpoint)
