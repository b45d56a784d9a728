"""Every interleaving, completely, within the scopes of :mod:`.explore.scopes`.

The small ones run always; ``invoke test --explore`` runs the large ones too. What breaks a rule is
shown as a test: paste it at the end of this file.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterable

import pytest

from core.dynamodb.patterns import row_moves, sends, transactions

from .explore import ours, running, scopes
from .explore.ours import InboxRow
from .explore.running import (
    Explored,
    explore,
    explore_at_once,
    explore_family,
    first_wrong,
    summary,
)
from .explore.scopes import Family
from .explore.search import Result, Violation
from .explore.traces import replay

FAMILIES = scopes.families().values()
SMALL = [family for family in FAMILIES if not family.is_large]
LARGE = [family for family in FAMILIES if family.is_large]


@pytest.mark.parametrize("family", SMALL, ids=lambda family: family.name)
def test_every_interleaving_of_a_small_scope_keeps_the_guarantees(family: Family, lines) -> None:
    explored = explore_family(family)
    lines(summary(family, explored))
    fail_with_traces(explored)


@pytest.mark.explore
@pytest.mark.timeout(7200)
def test_every_interleaving_of_the_large_scopes_keeps_the_guarantees(lines, progress) -> None:
    fail_with_traces(explore_at_once(LARGE, os.cpu_count() or 1, lines, progress))


def fail_with_traces(explored: Iterable[Explored]) -> None:
    """Fail with a test for each broken rule, and without other output."""
    for scope in explored:
        if scope.trace:
            pytest.fail(f"{scope.scope}: paste this test\n\n{scope.trace}\n", pytrace=False)
        assert scope.result.is_complete, f"{scope.scope}: {scope.problem}"


def test_a_scope_is_reported_whose_process_died_or_failed_and_the_others_finish(
    monkeypatch,
) -> None:
    """Its scope is not complete; nothing waits for it."""
    dies, fails, breaks, completes = SMALL[:4]

    def explore_or_not(scope):
        if scope.name == dies.name:
            os.kill(os.getpid(), signal.SIGKILL)
        assert scope.name != fails.name
        if scope.name == breaks.name:
            return Explored(scope.name, Result(violation=Violation(scope.name, "a rule", ())))
        return Explored(scope.name, Result(states=1, is_complete=True))

    monkeypatch.setattr(running, "explore", explore_or_not)
    reported: list[str] = []
    explored = explore_at_once(
        [dies, fails, breaks, completes], 2, reported.append, reported.append
    )
    assert [scope.result.is_complete for scope in explored] == [False, False, False, True]
    assert f"{dies.name}: its process died with exit code -9" in reported
    assert any(line.startswith(f"{fails.name}: Traceback") for line in reported)
    ends = sorted(line[-3:] for line in reported if " states, " in line)
    assert ends == [" no", " no", " no", "yes"]
    assert f"{breaks.name}: a rule" in reported


def test_a_planted_fault_is_found_with_the_shortest_trace_which_can_be_replayed(
    monkeypatch,
) -> None:
    """A projection that deletes a row before it puts the next: a crash in between loses it."""
    monkeypatch.setattr(row_moves, "_put_behind", without_a_put)
    monkeypatch.setattr(row_moves, "_delete", without_a_look)
    explored = explore(scopes.scopes()["a plain put and 2 projections"])
    assert "guarantee 2" in explored.trace
    (trace,) = re.findall(r'replay\("(.*)"\)', explored.trace)
    assert replay(trace)
    assert len(trace.split(": ")[-1].split()) < 12
    assert "projection 1 reads the stream" in explored.trace


def without_a_put(table, message, owner, other, last):
    """Says that the row is put, and puts none."""
    key = message.sort_key
    return InboxRow(message.message_group_uuid, owner, other, message.text, key, None), False


def without_a_look(table, row, kept):
    """Deletes a row, whatever became of the one that is kept."""
    return transactions.commit(table, [transactions.delete_inbox_row(table, row)]).committed


@pytest.mark.parametrize(
    "name",
    [
        "2 loads of one transcript",
        "a retry of what was stored, and a send",
        "an erasure and a send",
        "an import of an older export, and a send",
        "a removal and a repair",
    ],
)
def test_to_forget_a_part_of_an_operation_leaves_every_execution(name: str, monkeypatch) -> None:
    """With whole histories there are as many executions, and they end as well."""
    scope = scopes.scopes()[name]
    merged = explore(scope).result
    for forgotten, nothing in (("PARTS", {}), ("TURNS", ()), ("LOOPS", {})):
        monkeypatch.setattr(ours, forgotten, nothing)
    whole = explore(scope).result
    assert whole.executions == merged.executions > 0
    assert whole.states > merged.states


def test_an_operation_that_comes_back_to_where_it_was_is_found(monkeypatch) -> None:
    """A send that tries again for ever, where nothing has changed since the last try."""
    for module in (transactions, sends):
        monkeypatch.setattr(module, "commit", commit_nothing)
    assert "it comes back to where it was" in first_wrong(scopes.scopes()["a send, by itself"])


def commit_nothing(table, actions):
    return transactions.Outcome()


# Traces that once broke a rule.


def test_a_transcript_loaded_twice_at_once_is_stored_once() -> None:
    """The second had looked for messages before the first stored them, and for rows after that."""
    assert replay("2 loads of one transcript: 1 1 1 1 2 2 1 2 2 2") == ""


def test_a_late_try_and_its_retry_store_the_message_once() -> None:
    """The unconfirmed key was later than the first, but the retry used the first."""
    steps = "1 2 2 2 2 2 2 1/gives-up 1 1 1/late 1 2 1 1 1/comes-through 1 1"
    assert replay(f"pairs of all: send, projection: {steps}") == ""


@pytest.mark.parametrize(
    "trace",
    [
        "projection, function: 1 1 1 1 1/lost-reply 2 2 2/lost-reply",
        "import, function: 1 2 2 2 1 1 1 1 2 2/lost-reply",
    ],
)
def test_a_send_corrects_two_rows_in_one_inbox_and_none_in_the_other(trace: str) -> None:
    """It read the newest row of each inbox again, and lost the second row of the first inbox."""
    assert replay(f"pairs of all: {trace}") == ""


def test_a_load_stays_in_the_conversation_that_it_chose() -> None:
    """It read the rows again after each commit, found none, and began another conversation."""
    steps = "1 1 1/refused 1 1 1 1 1 1 2 2 2 1 2 2 1 1"
    assert replay(f"pairs of all, clocks step: transcript, function: {steps}") == ""


def test_two_loads_of_an_unlisted_conversation_store_the_transcript_once() -> None:
    """Neither had a row for its conditions, so neither load cancelled the other."""
    steps = "1 1 1 1 1 1 1 1 2 2 2 2 1 2"
    assert replay(f"2 loads where both rows are lost: {steps}") == ""


def test_a_load_that_is_repeated_beside_the_function_stays_where_it_stored_the_transcript() -> None:
    """The put of the pair was throttled, and it loaded on; later it found no pair and no row."""
    steps = "1 1 1/refused 1 1 1 1 1 1 1/refused 1 2 2 2 1 2 2 1 1"
    assert replay(f"pairs of all: transcript, function: {steps}") == ""


def test_a_send_keeps_its_row_where_a_removal_moves_the_other_row_back() -> None:
    """It deleted its own row for a later one of Cruddur's function, which the removal had moved."""
    steps = "2 3 3 3 1 1 3 3 1 3 2 2 1 1 1 2 1"
    assert replay(f"threes of all: send, removal, function: {steps}") == ""
