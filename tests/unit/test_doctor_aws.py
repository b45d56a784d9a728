"""Clocks, the rule in front of RDS, and the readers of a stream: checked without a network."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest

from core.aws.clock import ReplyClock
from core.aws.event_sources import EventSource
from core.aws.security_groups import SecurityGroupRule
from core.doctor import State
from core.doctor.clock import clock
from core.doctor.dynamodb import judged
from core.timestamps import now

RULE = SecurityGroupRule("sg-1", "sgr-1", "tcp", 5432, 5432, "8.8.4.4/32", "")


@pytest.mark.parametrize(
    ("seconds", "state", "text"),
    [
        (0, State.OK, "Agrees"),
        (-4, State.OK, "Agrees"),
        (60, State.NOTE, "60 s ahead of it"),
        (-60, State.NOTE, "60 s behind it"),
        (301, State.BAD, "301 s ahead of it"),
        (-4000, State.BAD, "4,000 s behind it"),
    ],
)
def test_a_clock_is_bad_if_aws_refuses_its_requests(seconds, state, text) -> None:
    finding = clock("clock", timedelta(seconds=seconds))
    assert finding.state is state
    assert text in finding.finding
    assert ("timedatectl" in finding.hint) == (state is not State.OK)


def test_a_clock_without_an_answer_is_unknown() -> None:
    assert clock("clock", None).state is State.NOTE


@pytest.mark.parametrize("headers", [{}, {"Date": "soon"}, {"Date": ""}])
def test_a_reply_without_a_time_has_no_clock(headers) -> None:
    reply_clock = ReplyClock()
    reply_clock._read({"headers": headers})
    assert reply_clock.ahead is None


def test_a_reply_shows_how_far_ahead_this_machine_is() -> None:
    reply_clock = ReplyClock()
    date = format_datetime(now() - timedelta(hours=1), usegmt=True)
    reply_clock._read({"headers": {"Date": date}})
    assert reply_clock.ahead is not None
    assert 3598 < reply_clock.ahead.total_seconds() < 3602


@pytest.mark.parametrize(
    ("change", "lets_in"),
    [
        ({}, True),
        ({"source": "8.8.0.0/16"}, True),
        ({"from_port": 0, "to_port": 65535}, True),
        ({"protocol": "-1", "from_port": -1, "to_port": -1}, True),
        ({"source": "8.8.4.5/32"}, False),
        ({"source": "sg-2"}, False),
        ({"source": ""}, False),
        ({"source": "::/0"}, False),
        ({"from_port": 5433, "to_port": 5440}, False),
        ({"protocol": "udp"}, False),
    ],
)
def test_a_rule_lets_in_addresses_in_its_source_and_ports(change, lets_in) -> None:
    assert replace(RULE, **change).lets_in("8.8.4.4", 5432) is lets_in


def source(state: str = "Enabled", trouble: str = "") -> EventSource:
    return EventSource("u-1", "projection", state, trouble)


@pytest.mark.parametrize(
    ("sources", "state"),
    [
        ([source()], State.OK),
        ([source("Enabling")], State.OK),
        ([], State.NOTE),
        ([source("Disabled")], State.BAD),
        ([source("Disabling")], State.BAD),
        ([source(trouble="PROBLEM: Function call failed")], State.BAD),
        ([source(), source("Disabled")], State.BAD),
    ],
)
def test_a_projection_works_if_every_function_reads_the_stream(sources, state) -> None:
    assert judged(sources).state is state
