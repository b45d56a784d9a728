"""The stream function of the message table: deploy it, see its state, remove it.

The stack uses the table and its stream as they are: it never makes, replaces or deletes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.access import Stores
from core.aws import (
    Alarm,
    Change,
    ChangeSet,
    EventSource,
    Stack,
    delete_stack,
    discard,
    execute,
    find_stack,
    has_table,
    list_alarms,
    list_event_sources,
    plan_change,
    remove_code,
    stack_name,
    template,
    upload_code,
)
from core.commands import Command
from core.dynamodb import (
    Table,
    describe,
    require_table,
    shows_new_images,
    stream_is_on,
    turning_on,
)
from core.errors import (
    CredentialsError,
    EngineError,
    InputError,
    StoreError,
    UnreachableError,
)

_STATUS = Command("lambda.status")
_REMOVE = Command("lambda.remove")
_UP = Command("up", ("--functions",))


@dataclass(frozen=True, slots=True)
class Deployment:
    """The state of the function. ``sources`` are the deliveries of the table's stream to it."""

    stack: Stack
    sources: Sequence[EventSource]
    alarms: Sequence[Alarm]

    @property
    def is_well(self) -> bool:
        delivers = any(source.is_enabled and not source.trouble for source in self.sources)
        return self.stack.is_well and delivers and all(a.state != "ALARM" for a in self.alarms)


@contextmanager
def _explaining(stores: Stores) -> Iterator[None]:
    """Say that a local engine runs no functions, where it does not know CloudFormation."""
    try:
        yield
    except (UnreachableError, CredentialsError):
        raise
    except StoreError as error:
        target = stores.target
        if target.is_production:
            raise
        if target.settings.aws_endpoint_url is None:
            raise EngineError(
                "The embedded engine runs no functions",
                "Stop the engines first. Then start them with functions",
                _UP,
            ) from error
        raise EngineError(
            f"The engine at {target.aws.endpoint_url} runs no functions",
            "Deploy to the embedded engine, or to AWS with --prod.",
        ) from error


def plan_deployment(stores: Stores, file: Path | None = None) -> ChangeSet | None:
    """The change set that deploys the function as it is in this checkout; None if it is deployed.

    The code is stored first; nothing else is changed. ``file`` is where the zip is written.

    Raises:
        InputError: the table has no stream of new images, or the stack is not ours to change.
        MissingTableError: there is no table.
    """
    table, services = stores.table, stores.aws
    stream_arn = _stream_of(table)
    name = stack_name(table.name)
    with _explaining(stores):
        _check_ours(stores, find_stack(services, name))
    bucket, key = upload_code(services, name, file)
    parameters = {
        "TableName": table.name,
        "StreamArn": stream_arn,
        "EndpointUrl": stores.target.dynamodb.endpoint_url or "",
    }
    planned = plan_change(services, name, template(bucket, key), parameters)
    if planned is not None and any(
        change.is_of_table and change.action != "Add" for change in planned.changes
    ):
        discard(services, planned)
        raise InputError(f"The stack {name} would change the table", "Nothing was changed.")
    return planned


def deploy(stores: Stores, planned: ChangeSet) -> Stack:
    """The stack after the planned change."""
    try:
        return execute(stores.aws, planned)
    except StoreError as error:
        raise StoreError(error.problem, "See what is left", _STATUS) from error


def shown_changes(planned: ChangeSet) -> list[Change]:
    """The changes without a new table.

    The condition of the template leaves the table out, but a local engine lists it.
    """
    return [change for change in planned.changes if not change.is_of_table]


def read_deployment(stores: Stores) -> Deployment | None:
    """The state of the table's function; None if these tools have not deployed one."""
    table, services = stores.table, stores.aws
    name = stack_name(table.name)
    with _explaining(stores):
        stack = find_stack(services, name)
    if stack is None or stack.is_only_planned:
        return None
    function = stack.outputs.get("FunctionName", "")
    stream_arn = stack.parameters.get("StreamArn", "")
    sources = list_event_sources(services.target, stream_arn) if stream_arn else []
    return Deployment(
        stack,
        [source for source in sources if source.function.partition(":")[0] == function],
        list_alarms(services, name),
    )


def remove(stores: Stores) -> bool:
    """True if the stack was removed, with the function's code; False if there is none.

    The table stays.

    Raises:
        InputError: the stack has the table in it.
    """
    services, name = stores.aws, stack_name(stores.table.name)
    with _explaining(stores):
        stack = find_stack(services, name)
    if stack is None:
        return False
    _check_has_no_table(stores, stack)
    delete_stack(services, name)
    remove_code(services, name)
    return True


def _stream_of(table: Table) -> str:
    require_table(table)
    description = describe(table) or {}
    if not stream_is_on(description):
        raise InputError(f"The stream of {table.name} is off", f"Turn it on: {turning_on(table)}")
    if not shows_new_images(description):
        raise InputError(
            f"The stream of {table.name} does not show new images",
            f"Turn it off, then on with the right view: {turning_on(table)}",
        )
    return str(description["LatestStreamArn"])


def _check_ours(stores: Stores, stack: Stack | None) -> None:
    """Refuse a stack that is not to be changed."""
    if stack is None or stack.is_only_planned:
        return
    _check_has_no_table(stores, stack)
    if stack.status == "ROLLBACK_COMPLETE":
        raise InputError(
            f"The stack {stack.name} failed when it was made ({stack.reason})",
            "Remove it, then deploy it again",
            _REMOVE,
        )


def _check_has_no_table(stores: Stores, stack: Stack) -> None:
    """Refuse a stack that is for another table, or has a table in it."""
    if stack.is_only_planned:
        return
    if stack.parameters.get("TableName") != stores.table.name:
        raise InputError(
            f"The stack {stack.name} is not for the table {stores.table.name}",
            "Rename or delete that stack.",
        )
    if has_table(stores.aws, stack.name):
        raise InputError(
            f"The table is a part of the stack {stack.name}", "Change it as it was made: sam deploy"
        )
