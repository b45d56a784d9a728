"""The message table: a client, a name, and a meter of the consumed capacity."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from core.aws.clients import DrySink, make_client, translating
from core.dynamodb import permissions
from core.dynamodb.replies import take_items, take_results
from core.dynamodb.requests import take_statements, write_statements
from core.errors import DynamoDBError
from core.purposes import Purpose
from core.targets import AwsTarget, Target

GoOn = Callable[[int], bool]
"""Called during a long scan with the number of items read; False stops the scan."""

_READS = {"query", "scan", "get_item", "batch_get_item", "transact_get_items"}

_sending: ContextVar[tuple[Any, Purpose] | None] = ContextVar("sending", default=None)
"""The client that sends a request of a :class:`Table` in this thread, and the table's purpose."""


@dataclass(slots=True)
class ConsumedCapacity:
    """The capacity units that DynamoDB reported, added up; safe to share between threads.

    Read and write units of requests that succeeded, tables and indexes together. AWS bills more:
    a conditional write that it refuses, alone or in a transaction that is cancelled, is charged by
    the item's size, 1 WCU at least, and reports nothing:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    Local engines may also report less than AWS does for transactions and for large reads:
    docs/access-patterns.md has AWS's arithmetic.
    """

    read_units: float = 0.0
    write_units: float = 0.0
    requests: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, operation: str, response: Mapping[str, Any]) -> None:
        reported = response.get("ConsumedCapacity") or []
        reports = [reported] if isinstance(reported, dict) else reported
        units = sum(float(report.get("CapacityUnits", 0)) for report in reports)
        with self._lock:
            self.requests += 1
            if operation in _READS:
                self.read_units += units
            else:
                self.write_units += units

    def __str__(self) -> str:
        requests = "1 request" if self.requests == 1 else f"{self.requests} requests"
        return f"{self.read_units:g} RCU, {self.write_units:g} WCU in {requests}"


@dataclass(frozen=True, slots=True)
class Table:
    """The message table of one target, opened for one purpose; share it freely.

    The client refuses a request that the purpose does not allow before it is sent. A request that
    is made on ``client`` directly is checked against the client's purpose, not the table's.
    """

    client: Any
    name: str
    target: AwsTarget
    dry: bool = False
    purpose: Purpose = Purpose.LOOKING
    capacity: ConsumedCapacity = field(default_factory=ConsumedCapacity)

    def request(self, operation: str, **params: Any) -> dict[str, Any]:
        """One request about this table, its capacity metered.

        Raises:
            StoreError: any of its kinds; see :mod:`core.errors`.
        """
        return self.send(operation, TableName=self.name, **params)

    def send(self, operation: str, **params: Any) -> dict[str, Any]:
        """One request that names its tables inside ``params``, as batches and transactions do.

        Raises:
            StoreError: any of its kinds; see :mod:`core.errors`.
        """
        with translating("dynamodb", self.target):
            return self.call(operation, ReturnConsumedCapacity="TOTAL", **params)

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """One request that :meth:`send` does not fit: it raises the SDK's errors, and is metered if
        it asks for ``ReturnConsumedCapacity``.
        """
        before = _sending.set((self.client, self.purpose))
        try:
            response: dict[str, Any] = getattr(self.client, operation)(**params)
        finally:
            _sending.reset(before)
        if "ReturnConsumedCapacity" in params:
            self.capacity.add(operation, response)
        return response

    def metered(self) -> Table:
        """The same table with a meter of its own, at zero."""
        return self.opened_for(self.purpose)

    def opened_for(self, purpose: Purpose) -> Table:
        """Another handle on the same client, and so on its connections; its meter is at zero."""
        return replace(self, purpose=purpose, capacity=ConsumedCapacity())


def always(_: int) -> bool:
    """A :data:`GoOn` that never stops a pass early."""
    return True


def request_if(table: Table, operation: str, **params: Any) -> bool:
    """Send a conditional write. Returns False if its condition failed."""
    try:
        table.request(operation, **params)
    except DynamoDBError as error:
        if error.code != "ConditionalCheckFailedException":
            raise
        return False
    return True


def open_table(
    target: Target, purpose: Purpose, *, dry: DrySink | None = None, quick: bool = False
) -> Table:
    """The message table of ``target``; nothing is sent yet. For ``dry``, ``quick``: make_client."""
    client = open_client(target.dynamodb, "dynamodb", purpose, dry=dry, quick=quick)
    return Table(client, target.table_name, target.dynamodb, dry is not None, purpose)


def open_client(
    target: AwsTarget,
    service: str,
    purpose: Purpose,
    *,
    dry: DrySink | None = None,
    quick: bool = False,
) -> Any:
    """A client of ``dynamodb`` or ``dynamodbstreams`` that is limited to ``purpose``.

    The requests that a :class:`Table` sends with it are limited to the table's purpose instead.
    """
    client = make_client(target, service, dry=dry, quick=quick)

    def check(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        sender, purpose_of_table = _sending.get() or (None, purpose)
        allowed = purpose_of_table if sender is client else purpose
        permissions.require(allowed, model.name, params)

    client.meta.events.register_first("provide-client-params", check)
    for operation in ("Query", "Scan"):
        client.meta.events.register(f"before-parse.dynamodb.{operation}", take_items)
    batch = "dynamodb.BatchExecuteStatement"
    client.meta.events.register(f"before-parameter-build.{batch}", take_statements)
    client.meta.events.register_first(f"before-call.{batch}", write_statements)
    client.meta.events.register(f"before-parse.{batch}", take_results)
    return client
