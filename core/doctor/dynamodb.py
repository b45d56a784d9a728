"""The DynamoDB checks: is it reachable, is the schema right, does a function read the stream?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from core.commands import Command, option
from core.doctor.clock import clock
from core.doctor.findings import Finding, State, bad, note, ok
from core.errors import CoreError, StoreError
from core.purposes import Purpose
from core.targets import Target

if TYPE_CHECKING:
    from core.aws import EventSource
    from core.dynamodb import Table

_DEPLOY = "Deploy one, as docs/how-to/deploy-the-stream-function.md shows, or run"
_FOLLOW = Command("ddb.follow-stream")
_STATUS = Command("lambda.status")


def dynamodb(target: Target) -> Iterator[Finding]:
    """Reachability, clock, schema and stream, from one DescribeTable; then the projection."""
    from core.aws import ReplyClock
    from core.dynamodb import describe, open_table

    table = open_table(target, Purpose.LOOKING, quick=True)
    reply_clock = ReplyClock()
    reply_clock.watch(table.client)
    with closing(table.client):
        try:
            started = time.perf_counter()
            description = describe(table)
            ms = round((time.perf_counter() - started) * 1000, 1)
        except CoreError:
            if reply_clock.ahead is not None:  # a wrong clock may be the reason
                yield clock("dynamodb clock", reply_clock.ahead)
            raise
    place = table.target.endpoint_url or f"AWS {table.client.meta.region_name}"
    yield ok("dynamodb", f"DynamoDB answers at {place}", ms=ms)
    yield clock("dynamodb clock", reply_clock.ahead)
    yield _table(target, table, description)
    if description is not None:
        yield from _stream(target, table, description)
    else:
        yield note("stream", "Unknown: see dynamodb table")
        yield note("projection", "Unknown: see dynamodb table")


def _table(target: Target, table: Table, description: dict[str, Any] | None) -> Finding:
    from core.dynamodb import INDEX, lacks_index, not_active, relocated, schema_differences

    check = "dynamodb table"
    if description is None:
        if (elsewhere := relocated(table)) is not None:
            return bad(check, elsewhere.problem, elsewhere.hint, elsewhere.command)
        return bad(
            check, f"There is no table {table.name}", "Create it", Command("ddb.schema-load")
        )
    if lacks_index(description):
        problem = f"{table.name} lacks the index {INDEX}"
        return bad(check, problem, "Add it", Command("ddb.schema-load"))
    if differences := schema_differences(description):
        return bad(
            check,
            f"{table.name} has another schema: {'; '.join(differences)}",
            f"Name another in {target.source_of('DDB_MESSAGE_TABLE', 'table')}, then run",
            Command("ddb.schema-load"),
        )
    if unready := not_active(description):
        return note(check, f"{table.name}: {'; '.join(unready)}", "Wait, then run it again.")
    return ok(check, f"{table.name} has Cruddur's key and index")


def _stream(target: Target, table: Table, description: dict[str, Any]) -> Iterator[Finding]:
    from core.dynamodb import shows_new_images, stream_is_on, turning_on

    if not stream_is_on(description):
        # Our own sends move the inbox rows themselves: only other programs' messages need a stream.
        yield note(
            "stream",
            "Off: messages from other programs do not update inboxes",
            f"If there are such messages, turn it on: {turning_on(table)}",
        )
        yield note("projection", "There is no stream to follow")
        return
    if not shows_new_images(description):
        view = description["StreamSpecification"]["StreamViewType"]
        yield note(
            "stream",
            f"On with view type {view}, which lacks the new images that the projection reads",
            "Turn it off (--stream-specification StreamEnabled=false), then on with the right one:"
            f" {turning_on(table)}",
        )
    else:
        yield ok("stream", f"On, {description['StreamSpecification']['StreamViewType']}")
    yield _projection(target, description["LatestStreamArn"])


def _projection(target: Target, stream_arn: str) -> Finding:
    from core.aws import list_event_sources

    try:
        sources = list_event_sources(target.aws, stream_arn, quick=True)
    except CoreError as error:
        if not target.is_production:  # most local engines have no functions
            return _follow_locally()
        if not isinstance(error, StoreError):
            raise
        return note("projection", f"Unknown: {error.problem}", error.hint, error.command)
    if not (sources or target.is_production):
        return _follow_locally()
    finding = judged(sources)
    return finding if finding.state is State.BAD else _alarms(target) or finding


def _follow_locally() -> Finding:
    return ok("projection", f"Run it locally with: {_FOLLOW.line()}")


def _alarms(target: Target) -> Finding | None:
    """The finding for an alarm of our own stack that is on, if one is."""
    from core.aws import AwsServices, list_alarms, stack_name

    try:
        alarms = list_alarms(AwsServices(target.aws), stack_name(target.table_name), quick=True)
    except StoreError:
        return None  # another's function may have no alarms, and this person no permission
    for alarm in alarms:
        if alarm.state == "ALARM":
            return bad("projection", f"{alarm.name} is on: {alarm.means}", "See", _STATUS)
    return None


def judged(sources: list[EventSource]) -> Finding:
    """The finding for a stream that is delivered to ``sources``."""
    if not sources:
        return note("projection", "No Lambda function receives the stream", _DEPLOY, _FOLLOW)
    for source in sources:
        if not source.is_enabled:
            return bad(
                "projection",
                f"The stream's delivery to {source.function} is {source.state}",
                f"aws lambda update-event-source-mapping {option('--uuid', source.uuid)} --enabled",
            )
        if source.trouble:
            name = source.function.partition(":")[0]
            return bad(
                "projection",
                f"Function {source.function} fails on the stream: {source.trouble}",
                f"Read its log: aws logs tail /aws/lambda/{name}",
            )
    return ok("projection", "Done by function " + ", ".join(source.function for source in sources))
