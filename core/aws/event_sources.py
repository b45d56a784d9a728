"""The Lambda functions that a stream is delivered to, and whether they succeed."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass

from core.aws.clients import make_client
from core.aws.errors import translating
from core.targets import AwsTarget

# A mapping that has had nothing to do yet reports "No records processed". A local engine counts.
_FINE = re.compile(r"|OK( - \d+ records)?|No records processed")
_ON = ("Enabled", "Enabling", "Creating", "Updating")


@dataclass(frozen=True, slots=True)
class EventSource:
    """One mapping of a stream to a function. ``trouble`` is its last reported failure."""

    uuid: str
    function: str
    state: str
    trouble: str

    @property
    def is_enabled(self) -> bool:
        return self.state in _ON


def list_event_sources(
    target: AwsTarget, stream_arn: str, *, quick: bool = False
) -> list[EventSource]:
    """Every mapping of the stream, over all pages. ``quick``: see ``make_client``.

    Raises:
        CredentialsError: for example, the permission lambda:ListEventSourceMappings is missing.
    """
    client = make_client(target, "lambda", quick=quick)
    with closing(client), translating("lambda", target):
        pages = client.get_paginator("list_event_source_mappings").paginate(
            EventSourceArn=stream_arn
        )
        return [
            EventSource(
                uuid=mapping["UUID"],
                function=mapping["FunctionArn"].rpartition(":function:")[2],
                state=mapping.get("State", "Unknown"),
                trouble=_trouble(mapping.get("LastProcessingResult") or ""),
            )
            for page in pages
            for mapping in page["EventSourceMappings"]
        ]


def _trouble(result: str) -> str:
    return "" if _FINE.fullmatch(result) else result
