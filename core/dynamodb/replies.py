"""Parses the items of a query's or a scan's reply, and the results of a batch of statements.

The SDK builds each attribute from the service's model, in Python: two thirds of the processor's
time of a long scan. Neither needs a model: their JSON has the SDK's own form, except for binary
values, which come in base64. So they are taken out of the reply before the SDK parses the rest.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from core.dynamodb.keys import Item
from core.json_lines import json_line, parsed_line


def take_items(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Take the items out of a reply; they are added again after the SDK has parsed the rest.

    A handler of the SDK's event ``before-parse``. A reply that is an error, or not JSON, is left
    to the SDK.
    """
    body = response_dict["body"]
    if items := _taken("Items", response_dict):
        if b'"B"' in body or b'"BS"' in body:  # binary values are rare
            items = [_decoded_item(item) for item in items]
        customized_response_dict["Items"] = items


def take_results(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """The same for the results of a batch of statements; those that have an item are the SDK's."""
    body = response_dict["body"]
    if isinstance(body, bytes) and b'"Item"' in body:
        return
    if results := _taken("Responses", response_dict):
        customized_response_dict["Responses"] = results


def _taken(name: str, response_dict: dict[str, Any]) -> list[Any] | None:
    """The list ``name`` of a reply, which is then empty there; None if the reply is the SDK's."""
    body = response_dict["body"]
    if response_dict["status_code"] >= 300 or not isinstance(body, bytes):
        return None
    try:
        reply = parsed_line(body)
    except ValueError:
        return None
    entries = reply.get(name) if isinstance(reply, dict) else None
    if not isinstance(entries, list) or not entries:
        return None
    response_dict["body"] = json_line(reply | {name: []}, str).encode()
    return entries


def _decoded_item(item: Mapping[str, Any]) -> Item:
    return {name: _decoded(value) for name, value in item.items()}


def _decoded(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: base64.b64decode(content)}
    if kind == "BS":
        return {kind: [base64.b64decode(entry) for entry in content]}
    if kind == "L":
        return {kind: [_decoded(entry) for entry in content]}
    return {kind: _decoded_item(content) if kind == "M" else content}
