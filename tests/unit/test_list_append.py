"""The check of histories finds each anomaly, and nothing in a correct history."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))
from list_append import NEVER, Append, Read, anomalies


def history(count: int = 5) -> tuple[list[Append], list[Read], dict[str, list[str]]]:
    """A correct conversation that is written and read in turns."""
    values = [f"m{n}" for n in range(count)]
    appends = [
        Append("g", value, n, n + 0.4, is_acknowledged=True) for n, value in enumerate(values)
    ]
    reads = [
        Read("g", tuple(values[max(0, n - 2) : n + 1]), n + 0.5, n + 0.9, values[n], values[n])
        for n in range(count)
    ]
    return appends, reads, {"g": values}


def judged(appends, reads, final) -> list[str]:
    return [wrong.split(":")[0] for wrong in anomalies(appends, reads, final)]


def test_a_correct_history_has_no_anomalies() -> None:
    assert judged(*history(1_000)) == []


def test_an_acknowledged_message_that_is_missing_is_lost() -> None:
    appends, reads, final = history()
    assert judged(appends, reads[:2], {"g": final["g"][:4]}) == ["lost"]


def test_a_message_that_is_stored_twice_is_doubled() -> None:
    appends, _, final = history()
    assert judged(appends, [], {"g": [*final["g"], "m4"]}) == ["doubled"]


def test_a_refused_message_that_is_read_is_an_aborted_read() -> None:
    appends, reads, final = history()
    appends[2] = replace(appends[2], is_acknowledged=False, is_refused=True)
    assert judged(appends, reads, final) == ["aborted read"]


def test_a_send_that_ended_before_another_began_comes_before_it() -> None:
    appends, _, final = history()
    final["g"][1], final["g"][2] = final["g"][2], final["g"][1]
    assert judged(appends, [], final) == ["reordered"]


def test_an_unconfirmed_message_may_be_anywhere_or_missing() -> None:
    appends, _, _ = history()
    appends[1] = replace(appends[1], end=NEVER, is_acknowledged=False)
    assert judged(appends, [], {"g": ["m0", "m2", "m1", "m3", "m4"]}) == []
    assert judged(appends, [], {"g": ["m0", "m2", "m3", "m4"]}) == []


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        (("m2", "m1"), "reordered"),
        (("m0", "m2"), "lost"),
        (("m0", "m1"), "stale"),
        (("m1", "m2", "never sent"), "phantom read"),
    ],
)
def test_a_read_agrees_with_the_list_in_the_end(values: tuple[str, ...], wrong: str) -> None:
    appends, reads, final = history()
    read = replace(reads[2], values=values, before="", after="")
    assert wrong in judged(appends, [read], final)


def test_a_read_may_miss_what_was_not_acknowledged_when_it_began() -> None:
    appends, reads, final = history()
    appends[1] = replace(appends[1], end=NEVER, is_acknowledged=False)
    assert judged(appends, [replace(reads[2], values=("m0", "m2"))], final) == []


@pytest.mark.parametrize("shown", [{"before": "m3"}, {"after": "m1"}])
def test_a_message_without_its_inbox_row_is_a_fractured_read(shown: dict[str, str]) -> None:
    appends, reads, final = history()
    assert judged(appends, [replace(reads[2], **shown)], final) == ["fractured"]


def test_the_check_takes_linear_time() -> None:
    assert steps_of(4_000) < steps_of(1_000) * 4.5


def steps_of(count: int) -> int:
    """The number of lines that run for a history of so many appends and reads."""
    appends, reads, final = history(count)
    random.Random(1).shuffle(appends)
    steps = 0

    def count_steps(frame, event, _):
        nonlocal steps
        steps += event == "line"
        return count_steps

    before = sys.gettrace()
    sys.settrace(count_steps)
    try:
        assert anomalies(appends, reads, final) == []
    finally:
        sys.settrace(before)
    return steps
