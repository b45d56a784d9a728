"""Which Lambda functions a stream is delivered to, and whether they take what they get."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from core.aws.clients import make_client
from core.aws.errors import translating
from core.targets import AwsTarget

# "No records processed" is what a mapping says that had nothing to do yet.
_FINE = ("", "OK", "No records processed")
_ON = ("Enabled", "Enabling", "Creating", "Updating")


@dataclass(frozen=True, slots=True)
class EventSource:
    """One mapping of a stream to a function. ``trouble`` is the last failure it tells of."""

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
        CredentialsError: among others, without the right lambda:ListEventSourceMappings.
    """
    client = make_client(target, "lambda", quick=quick)
    with closing(client), translating("lambda", target):
        pages = client.get_paginator("list_event_source_mappings").paginate(
            EventSourceArn=stream_arn
        )
        return [
            EventSource(
                uuid=found["UUID"],
                function=found["FunctionArn"].rpartition(":function:")[2],
                state=found.get("State", "Unknown"),
                trouble=_trouble(found.get("LastProcessingResult") or ""),
            )
            for page in pages
            for found in page["EventSourceMappings"]
        ]


def _trouble(result: str) -> str:
    return "" if result in _FINE else result
