"""The order of sort keys, whatever form the rows of others have."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.timestamps import next_sort_key, parse, sort_key, sort_key_after

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_blank_behind_a_time_is_followed_too() -> None:
    key = "2026-11-23T18:04:05.000000+00:00 "
    assert next_sort_key(key) == "2026-11-23T18:04:05.000001+00:00"


def test_a_sort_key_is_utc_with_six_digits_and_an_offset() -> None:
    in_paris = datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    assert sort_key(in_paris) == "2026-03-01T12:00:00.000000+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00:00.000000+00:00",
        "2026-03-01T12:00:00",
        "2026-03-01T12:00:00Z",
        "2026-03-01 14:00:00+02:00",
        "2026-03-01T12:00",
    ],
)
def test_every_form_that_rows_have_is_read_as_the_same_instant(text: str) -> None:
    assert parse(text) == NOON


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00"])
def test_text_without_an_instant_is_none(text: str) -> None:
    assert parse(text) is None


def test_the_first_sort_key_of_a_conversation_is_now() -> None:
    assert sort_key_after(None, NOON) == sort_key(NOON)


def test_a_frozen_clock_still_moves_forward_by_a_microsecond() -> None:
    assert sort_key_after(sort_key(NOON), NOON) == "2026-03-01T12:00:00.000001+00:00"


def test_a_clock_that_stepped_back_a_year_still_moves_forward() -> None:
    last = sort_key(NOON)
    assert sort_key_after(last, NOON - timedelta(days=365)) == "2026-03-01T12:00:00.000001+00:00"


@pytest.mark.parametrize(
    "last",
    [
        "2026-03-01T12:00:00",
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00.5",
        "2026-03-01T12:00:00.999999Z",
        "2026-03-01T12:00:00+00:00",
        "2026-03-01T23:00:00.000000+09:00",
        "2026-12-31T23:59:59.999999+00:00",
        "2026-03-01T12:00",
    ],
)
def test_the_next_key_sorts_after_a_row_of_any_form(last: str) -> None:
    following = sort_key_after(last, NOON - timedelta(days=1))
    assert following > last
    assert len(following) == 32


@pytest.mark.parametrize("last", ["zzz", "9999-12-31T23:59:59.999999+00:00"])
def test_a_row_that_nothing_can_follow_does_not_stop_a_conversation(last: str) -> None:
    assert sort_key_after(last, NOON) == sort_key(NOON)
