"""A trace in words and as a test to paste, and the trace of an id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .. import memory
from . import scopes
from .ours import in_charge
from .runs import Runs
from .search import Exploration, State, Step, Violation
from .settling import Calm
from .store import Request

_TOLD = {
    scopes.REFUSED: "it is refused: throttled",
    scopes.CONFLICT: "it is refused: another transaction is on",
    scopes.LOST: "it is committed, and its reply is lost",
    scopes.RESET: "the line is reset before it is committed",
    scopes.CRASH_BEFORE: "the process is killed before it",
    scopes.CRASH_AFTER: "it is committed, and the process is killed",
    scopes.LATE: "the line is reset, and it is still on its way",
    scopes.SECOND_TRY: "it is committed, and the SDK's second try meets a conflict",
    scopes.TIRED: "then the time is up",
}


@dataclass(frozen=True, slots=True)
class Played:
    """One step of a trace: the actor, its request, the reply, and the state after it."""

    step: Step
    actor: str
    request_in_words: str
    reply: str
    request: Request | None
    state: State

    def __str__(self) -> str:
        return f"{self.actor} {self.request_in_words}" + (f"; {self.reply}" if self.reply else "")


def trace_id(violation: Violation) -> str:
    """What :func:`replay` takes: the scope, and the steps by their actors and faults."""
    return f"{violation.scope}: {' '.join(map(str, violation.steps))}"


def replay(name: str) -> str:
    """The problem along the trace with that id; empty if there is none."""
    scope_name, _, steps = name.rpartition(": ")
    calm = Calm()
    with in_charge(lambda: Runs.running or calm):
        exploration = Exploration(scopes.scopes()[scope_name])
        before = exploration.initial
        for step_played in play(exploration, steps.split()):
            wrong = exploration.moved_back(before, step_played.step, step_played.state)
            if wrong := wrong or exploration.wrong_at(step_played.state):
                return wrong
            before = step_played.state
        return _to_the_end(exploration, before)


def _to_the_end(exploration: Exploration, state: State) -> str:
    """The problem after all actors have ended, one after the other."""
    while (following := next(exploration.successors(state), None)) is not None:
        step, after = following
        wrong = exploration.moved_back(state, step, after) or exploration.wrong_at(after)
        if wrong:
            return wrong
        state = after
    return exploration.wrong_in_the_end(state)


def play(exploration: Exploration, steps: list[str]) -> Iterator[Played]:
    """Follow ``steps``, and skip those that are no longer possible."""
    state = exploration.initial
    for text in steps:
        following = exploration.successors(state, reduced=False)
        possible = {str(step): (step, after) for step, after in following}
        if text not in possible:
            continue
        step, after = possible[text]
        yield played(exploration, state, step, after)
        state = after


def played(exploration: Exploration, before: State, step: Step, after: State) -> Played:
    """The step from ``before`` to ``after``, with its request."""
    runs = exploration.runs[step.actor]
    node = runs.nodes[before.nodes[step.actor]]
    replies = [_fault_in_words(word) for word in step.words]
    request = None
    if step.words == ("comes through",):
        late_request = next(iter(Counter(before.late) - Counter(after.late)))
        request_in_words = in_words(exploration.store.requests[late_request[1]])
        replies = ["it comes through after all"]
    elif node.ask.kind == "poll":
        request_in_words = f"reads the stream as {node.ask.value[0]}"
    elif node.ask.kind == "now":
        request_in_words = "looks at its clock"
    else:
        request = exploration.store.requests[node.ask.value]
        request_in_words = in_words(request)
        if not step.words and (reply := _refusal(exploration, node, before)):
            replies = [reply]
    return Played(
        step,
        exploration.scope.actors[step.actor].name,
        request_in_words,
        ", ".join(replies),
        request,
        after,
    )


def _refusal(exploration: Exploration, node: Any, before: State) -> str:
    effect = exploration.store.effect(before.table, node.ask.value, before.table)
    return exploration.store.replies[effect.reply].in_words


def _fault_in_words(word: str) -> str:
    if word.startswith("lags "):
        count = word.removeprefix("lags ")
        return f"it is shown the table of {count} write{'s' * (count != '1')} ago"
    if word.startswith("clock "):
        return f"its clock has stepped by {int(word.removeprefix('clock ')) / 1e6:+g} s"
    return _TOLD.get(word, f"{word} of it is done")


def _at(key: str) -> str:
    """The time of a sort key, without its date."""
    return key[11:26]


def _place(pk: str, sk: str) -> str:
    kind, _, name = pk.partition("#")
    if kind == "MSG":
        return f"the message of {name} at {_at(sk)}"
    if kind == "GONE":
        return f"the removal in {name} at {_at(sk)}"
    return (
        f"{name}'s row at {_at(sk)}"
        if kind == "GRP"
        else f"the pair of {' and '.join(name.split('#'))}"
    )


def in_words(request: Request) -> str:
    """The request in words, for a person."""
    params = request.params
    match request.operation:
        case "scan":
            return "scans the index" if "IndexName" in params else "scans the table"
        case "batch_get_item":
            ((_, asked),) = params["RequestItems"].items()
            places = (_place(key["pk"]["S"], key["sk"]["S"]) for key in asked["Keys"])
            return f"reads {', '.join(places)}"
        case "get_item":
            return f"reads {_place(params['Key']['pk']['S'], params['Key']['sk']['S'])}"
        case "query":
            return _query(params)
        case "transact_write_items":
            return "asks, in one transaction: " + ", ".join(
                _write(kind.lower(), action)
                for entry in params["TransactItems"]
                for kind, action in entry.items()
            )
        case "batch_execute_statement":
            items = ({"Item": memory.inserted(entry)} for entry in params["Statements"])
            return "asks, in one batch: " + ", ".join(_write("insert", item) for item in items)
        case "batch_write_item":
            ((_, puts),) = params["RequestItems"].items()
            return "asks, in one batch: " + ", ".join(_write("put", p["PutRequest"]) for p in puts)
    return f"asks: {_write(request.operation.removesuffix('_item'), params)}"


def _query(params: dict[str, Any] | Any) -> str:
    if "IndexName" in params:
        group = params["ExpressionAttributeValues"][":group"]["S"]
        return f"asks the index for the rows of {group}"
    kind, _, name = params["ExpressionAttributeValues"][":pk"]["S"].partition("#")
    places = {"MSG": f"the messages of {name}", "GONE": f"the removals of {name}"}
    place = places.get(kind, f"{name}'s inbox")
    return f"reads {place}" if params.get("ConsistentRead") else f"reads {place}, not consistently"


def _write(kind: str, action: Any) -> str:
    item = action.get("Item") or action["Key"]
    kind = "look at" if kind == "conditioncheck" else kind
    text = f" ({item['message']['S']})" if "message" in item else ""
    return f"{kind} {_place(item['pk']['S'], item['sk']['S'])}{text}"


def as_test(exploration: Exploration, violation: Violation) -> str:
    """A violation as a test to be pasted into tests/model/test_explored.py."""
    name = "".join(c if c.isalnum() else "_" for c in violation.scope.lower()).strip("_")
    while "__" in name:
        name = name.replace("__", "_")
    steps = play(exploration, [str(step) for step in violation.steps])
    lines = [f"    {place}. {step_played}." for place, step_played in enumerate(steps, start=1)]
    return "\n".join(
        [
            f"def test_trace_of_{name}() -> None:",
            f'    """{violation.wrong}.',
            "",
            *lines,
            '    """',
            f'    assert replay("{trace_id(violation)}") == ""',
        ]
    )
