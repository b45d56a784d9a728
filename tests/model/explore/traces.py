"""A trace in words, as a test to be pasted, and the way back from its id to the trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
    """One step of a trace: who, what it asked, what came of it, and the state after it."""

    step: Step
    actor: str
    asked: str
    told: str
    request: Request | None
    state: State

    def __str__(self) -> str:
        return f"{self.actor} {self.asked}" + (f"; {self.told}" if self.told else "")


def trace_id(violation: Violation) -> str:
    """What :func:`replay` takes: the scope, and the steps by their actors and faults."""
    return f"{violation.scope}: {' '.join(map(str, violation.steps))}"


def replay(name: str) -> str:
    """What is wrong along the trace with that id; nothing, where all is well."""
    scope_name, _, steps = name.rpartition(": ")
    calm = Calm()
    with in_charge(lambda: Runs.running or calm):
        exploration = Exploration(scopes.scopes()[scope_name])
        before = exploration.initial
        for each in play(exploration, steps.split()):
            wrong = exploration.moved_back(before, each.step, each.state)
            if wrong := wrong or exploration.wrong_at(each.state):
                return wrong
            before = each.state
        return _to_the_end(exploration, before)


def _to_the_end(exploration: Exploration, state: State) -> str:
    """What is wrong as everybody comes to an end, one after the other, and nothing more happens."""
    while (following := next(exploration.successors(state), None)) is not None:
        step, after = following
        wrong = exploration.moved_back(state, step, after) or exploration.wrong_at(after)
        if wrong:
            return wrong
        state = after
    return exploration.wrong_in_the_end(state)


def play(exploration: Exploration, steps: list[str]) -> Iterator[Played]:
    """Go along ``steps``; those that are not possible any more are passed over."""
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
    """The step from ``before`` to ``after``, with what was asked in it."""
    runs = exploration.runs[step.actor]
    node = runs.nodes[before.nodes[step.actor]]
    told = [_told(word) for word in step.words]
    request = None
    if step.words == ("comes through",):
        gone = next(iter(Counter(before.late) - Counter(after.late)))
        asked, told = in_words(exploration.store.requests[gone[1]]), ["it comes through after all"]
    elif node.ask.kind == "poll":
        asked = f"reads the stream as {node.ask.value[0]}"
    elif node.ask.kind == "now":
        asked = "looks at its clock"
    else:
        request = exploration.store.requests[node.ask.value]
        asked = in_words(request)
        if not step.words and (reply := _refusal(exploration, node, before)):
            told = [reply]
    return Played(
        step, exploration.scope.actors[step.actor].name, asked, ", ".join(told), request, after
    )


def _refusal(exploration: Exploration, node: Any, before: State) -> str:
    effect = exploration.store.effect(before.table, node.ask.value, before.table)
    return exploration.store.replies[effect.reply].told


def _told(word: str) -> str:
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
    kind, _, of = pk.partition("#")
    if kind == "MSG":
        return f"the message of {of} at {_at(sk)}"
    if kind == "GONE":
        return f"the removal in {of} at {_at(sk)}"
    return (
        f"{of}'s row at {_at(sk)}"
        if kind == "GRP"
        else f"the pair of {' and '.join(of.split('#'))}"
    )


def in_words(request: Request) -> str:
    """What a request asks, for a person."""
    params = request.params
    match request.operation:
        case "scan":
            return "scans the table"
        case "get_item":
            return f"reads {_place(params['Key']['pk']['S'], params['Key']['sk']['S'])}"
        case "query":
            return _query(params)
        case "transact_write_items":
            return "asks, in one transaction: " + ", ".join(
                _write(kind.lower(), action)
                for asked in params["TransactItems"]
                for kind, action in asked.items()
            )
        case "batch_write_item":
            ((_, puts),) = params["RequestItems"].items()
            return "asks, in one batch: " + ", ".join(_write("put", p["PutRequest"]) for p in puts)
    return f"asks: {_write(request.operation.removesuffix('_item'), params)}"


def _query(params: dict[str, Any] | Any) -> str:
    if "IndexName" in params:
        group = params["ExpressionAttributeValues"][":group"]["S"]
        return f"asks the index for the rows of {group}"
    kind, _, of = params["ExpressionAttributeValues"][":pk"]["S"].partition("#")
    whats = {"MSG": f"the messages of {of}", "GONE": f"the removals of {of}"}
    what = whats.get(kind, f"{of}'s inbox")
    return f"reads {what}" if params.get("ConsistentRead") else f"reads {what}, not consistently"


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
    lines = [f"    {place}. {each}." for place, each in enumerate(steps, start=1)]
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
