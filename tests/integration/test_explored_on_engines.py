"""Traces of the exploration on real engines: the model answers each request as they do.

A trace is drawn at random from a scope: the order of the actors, and the faults. A client without
retries sends its requests to the engine in the same order, through a proxy that makes the faults of
the trace. Each reply, and the final table, must be the model's.

Reads that lag are left out: an engine cannot be made to do that.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import botocore.exceptions
import pytest
from botocore.exceptions import ClientError
from fault_proxy import Fault, FaultProxy
from history import without_retries
from model.explore import scopes
from model.explore.running import explorer
from model.explore.search import Exploration, State, Step
from model.explore.traces import Played, played

from core.aws.clients import make_client
from core.dynamodb.patterns.reads import scan
from core.dynamodb.table import Table

WHAT_THE_PROXY_DOES = {
    scopes.REFUSED: Fault.THROTTLED,
    scopes.CONFLICT: Fault.CONFLICT,
    scopes.LOST: Fault.RESET_AFTER,
    scopes.RESET: Fault.RESET_BEFORE,
    scopes.LATE: Fault.RESET_BEFORE,
    scopes.CRASH_AFTER: Fault.RESET_AFTER,
}
NEVER_SENT = scopes.CRASH_BEFORE


@dataclass
class PlannedProxy(FaultProxy):
    """A proxy that makes a planned fault at the next request."""

    planned: Fault | None = None
    met: Counter[str] = field(default_factory=Counter)

    def drawn(self, operation: str, items: int) -> tuple[Fault | None, random.Random]:
        fault, self.planned = self.planned, None
        self.met[str(fault or "no fault")] += 1
        return fault, random.Random(0)


def traces(count: int) -> Iterator[tuple[Exploration, list[tuple[State, Step, State]]]]:
    """Traces of the scopes without lag, drawn from a seed."""
    chance = random.Random(14)
    chosen = [scope for scope in scopes.scopes().values() if not scope.lag]
    for _ in range(count):
        exploration = Exploration(replace(chance.choice(chosen), faults=2, kinds=scopes.ALL))
        trace, state = [], exploration.initial
        while following := [
            (step, after)
            for step, after in exploration.successors(state, reduced=False)
            if can_be_played(exploration, state, step)
        ]:
            calm = [choice for choice in following if not choice[0].words]
            wild = [choice for choice in following if choice[0].words]
            step, after = chance.choice(wild if wild and chance.random() < 0.25 else calm)
            trace.append((state, step, after))
            state = after
        yield exploration, trace


def can_be_played(exploration: Exploration, state: State, step: Step) -> bool:
    """Whether the proxy can do what happens in ``step``."""
    words = [word for word in step.words if not word.startswith(("clock", "lags"))]
    node = exploration.runs[step.actor].nodes[state.nodes[step.actor]]
    if words and words[0] == scopes.CONFLICT:
        return exploration.store.requests[node.ask.value].operation == "transact_write_items"
    return all(word in WHAT_THE_PROXY_DOES or word == NEVER_SENT for word in words)


def refill(table: Table, items: dict[Any, Any]) -> None:
    """Leave ``items`` in the table and nothing else."""
    for item in list(scan(table)):
        table.request("delete_item", Key={"pk": item["pk"], "sk": item["sk"]})
    for item in items.values():
        table.request("put_item", Item=item)


def named(params: Any, name: str) -> Any:
    """``params`` for the table of that name."""
    return json.loads(
        json.dumps(params)
        .replace('"TableName": "messages"', f'"TableName": "{name}"')
        .replace('"RequestItems": {"messages"', f'"RequestItems": {{"{name}"')
        .replace(r"INSERT INTO \"messages\"", rf"INSERT INTO \"{name}\"")
    )


def reply_of(act: Any) -> Any:
    """The reply to a request, in a form that can be compared."""
    try:
        reply = act()
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        cancelled = [(reason.get("Code"), reason.get("Item")) for reason in reasons]
        return error.response["Error"]["Code"], cancelled
    except botocore.exceptions.HTTPClientError:
        return "no answer"
    items = reply.get("Items")
    if isinstance(responses := reply.get("Responses"), dict):
        items = [item for of_table in responses.values() for item in of_table]
    elif responses is not None:
        return [response.get("Error", {}).get("Code") for response in responses]
    listed = None if items is None else sorted(json.dumps(i, sort_keys=True) for i in items)
    return listed, reply.get("Item"), "LastEvaluatedKey" in reply


NAMES_ITS_TABLES = {
    "batch_execute_statement",
    "batch_get_item",
    "batch_write_item",
    "transact_write_items",
}
"""The operations that have no table of their own."""


def fault_of(step_played: Played) -> str:
    return next((word for word in step_played.step.words if word in WHAT_THE_PROXY_DOES), "")


def play_on(table: Table, line: Table, proxy: PlannedProxy, number: int) -> str:
    """Play ``number`` traces on the engine of ``table``, and return a summary."""
    count = 0
    with explorer():
        for exploration, trace in traces(number):
            refill(table, exploration.scope.items)
            for before, step, after in trace:
                step_played = played(exploration, before, step, after)
                if step_played.request is None or NEVER_SENT in step.words:
                    continue
                count += 1
                compare(line, proxy, step_played, exploration, before)
            (last,) = {after.table for _, _, after in trace[-1:]} or {exploration.initial.table}
            stored = sorted(json.dumps(item, sort_keys=True) for item in scan(table))
            expected = exploration.store.tables[last].values()
            assert stored == sorted(json.dumps(item, sort_keys=True) for item in expected)
    return f"{number} traces, {summary(proxy.met, count)}, each answered as in the model"


def compare(
    line: Table, proxy: PlannedProxy, step_played: Played, exploration: Exploration, before: State
) -> None:
    assert step_played.request is not None
    fault = fault_of(step_played)
    proxy.planned = WHAT_THE_PROXY_DOES.get(fault)
    request = step_played.request
    params = named(request.params, line.name)
    if request.operation not in NAMES_ITS_TABLES:
        params["TableName"] = line.name
    real = reply_of(lambda: getattr(line.client, request.operation)(**params))
    if fault == scopes.CONFLICT:
        assert real[0] == "TransactionCanceledException"
        assert "TransactionConflict" in dict(real[1])
    elif fault == scopes.REFUSED:
        assert real[0] in ("ProvisionedThroughputExceededException", "ThrottlingException")
    elif fault:
        assert real == "no answer"
    else:
        node = exploration.runs[step_played.step.actor].nodes[before.nodes[step_played.step.actor]]
        effect = exploration.store.effect(before.table, node.ask.value, before.table)
        model = reply_of(exploration.store.replies[effect.reply].get)
        assert real == model, f"{exploration.scope.name}: {step_played}"


def summary(met: Counter[str], count: int) -> str:
    faults = ", ".join(
        f"{number:,} {fault}" for fault, number in met.items() if fault != "no fault"
    )
    return f"{count:,} requests, of which met {faults}"


def check(table: Table, figures, number: int) -> None:
    with PlannedProxy(str(table.target.endpoint_url)) as proxy:
        target = replace(table.target, endpoint_url=proxy.url)
        client = without_retries(make_client(target, "dynamodb"))
        try:
            figures(play_on(table, Table(client, table.name, target), proxy, number))
        finally:
            client.close()


@pytest.mark.parametrize("number", [15, pytest.param(300, marks=pytest.mark.deep)])
@pytest.mark.timeout(1800)
def test_the_model_answers_as_ministack_does(table, figures, number: int) -> None:
    check(table, figures, number)


@pytest.mark.parametrize("number", [15, pytest.param(300, marks=pytest.mark.deep)])
@pytest.mark.timeout(1800)
def test_the_model_answers_as_dynoxide_does(durable_table, figures, number: int) -> None:
    check(durable_table, figures, number)
