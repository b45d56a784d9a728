"""Many writers at once, with and without faults: each acknowledged message is stored once.

A small run by default; ``--deep`` runs the numbers on dynoxide, whose query time does not grow with
a conversation. On the bad day a proxy between client and engine makes requests fail. Half of the
writers use the SDK's own retries; the other half get each failure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from fault_proxy import BAD_DAY, FaultProxy
from history import History, assert_kept, begin, without_retries, write_at_once

from core.aws.clients import make_client
from core.dynamodb.table import Table

WRITERS = 8


def test_every_acknowledged_message_is_found_once_and_in_order(busy_table) -> None:
    check([busy_table] * WRITERS, busy_table, 400)


def test_on_a_bad_day_every_acknowledged_message_is_found_once_and_in_order(
    busy_table, figures
) -> None:
    check_on_a_bad_day(busy_table, 300, figures)


@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_every_acknowledged_message_is_found_once_in_depth(durable_table, figures) -> None:
    began = time.monotonic()
    histories = check([durable_table] * WRITERS, durable_table, 30_000)
    figures(f"{summary(histories)}, in {time.monotonic() - began:.0f} s")


@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_on_a_bad_day_every_acknowledged_message_is_found_once_in_depth(
    durable_table, figures
) -> None:
    check_on_a_bad_day(durable_table, 15_000, figures)


def check_on_a_bad_day(table: Table, total: int, figures: Callable[[str], None]) -> None:
    began = time.monotonic()
    with FaultProxy(table.target.endpoint_url, BAD_DAY) as proxy, lines(table, proxy) as tables:
        histories = check(tables, table, total)
    assert set(proxy.faults) == set(BAD_DAY) - {"partly unprocessed"}
    took = f"{time.monotonic() - began:.0f} s"
    figures(f"{summary(histories)}; {proxy.summary()}, in {took}")


@contextmanager
def lines(table: Table, proxy: FaultProxy) -> Iterator[list[Table]]:
    """The table through the proxy, once for each writer."""
    target = replace(table.target, endpoint_url=proxy.url)
    with ExitStack() as stack:
        clients = [make_client(target, "dynamodb") for _ in range(WRITERS)]
        for n, client in enumerate(clients):
            stack.callback(client.close)
            if n % 2:
                without_retries(client)
        yield [Table(client, table.name, target) for client in clients]


def check(tables: list[Table], table: Table, total: int) -> list[History]:
    """Write through ``tables``, and read the result through ``table``."""
    groups = begin(table)
    histories = write_at_once(tables, groups, total, table)
    assert sum(len(history.acknowledged) for history in histories) >= total * 0.99
    assert_kept(table, groups, histories)
    return histories


def summary(histories: list[History]) -> str:
    acknowledged = [len(history.acknowledged) for history in histories]
    unconfirmed = sum(history.unconfirmed for history in histories)
    refused = sum(history.refused for history in histories)
    reads = sum(len(history.reads) for history in histories)
    return (
        f"{sum(acknowledged):,} sends acknowledged by {len(histories)} writers"
        f" ({min(acknowledged):,} to {max(acknowledged):,} each), none lost, none doubled;"
        f" {unconfirmed:,} tries ended unconfirmed and {refused:,} refused;"
        f" {reads:,} reads agree with one order of all"
    )
