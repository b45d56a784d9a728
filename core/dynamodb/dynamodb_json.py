"""DynamoDB JSON, the lossless form of items on disk: binary in base64, everything else as it is.

What each type may hold:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from core.dynamodb.keys import Item

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def raw_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """``item`` as DynamoDB JSON, with binary values in base64: lossless."""
    return {name: _raw(value) for name, value in item.items()}


def _raw(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: base64.b64encode(content).decode("ascii")}
    if kind == "BS":
        return {kind: [base64.b64encode(entry).decode("ascii") for entry in content]}
    if kind == "L":
        return {kind: [_raw(entry) for entry in content]}
    if kind == "M":
        return {kind: {name: _raw(entry) for name, entry in content.items()}}
    return {kind: content}


def same_item(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    """Whether two items hold the same; the members of a set have no order."""
    return one is not None and canonical(raw_item(one)) == canonical(raw_item(other))


def canonical(value: Any) -> Any:
    """DynamoDB JSON with the members of sets in one order."""
    if isinstance(value, dict):
        return {
            name: sorted(entry) if name in ("SS", "NS", "BS") else canonical(entry)
            for name, entry in value.items()
        }
    return [canonical(entry) for entry in value] if isinstance(value, list) else value


def parsed_item(line: bytes) -> Item:
    """The item that a line of DynamoDB JSON holds, as the SDK takes it: binary in bytes.

    Raises:
        ValueError: it is none, or none of the message table: a key or a value is not as it must be.
    """
    try:
        item = {str(name): _parsed(value) for name, value in json.loads(line).items()}
        _check_key(item["pk"])
        _check_key(item["sk"])
        _check_key(item.get("message_group_uuid", item["pk"]))  # of the index, which is sparse
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"no item: {error}") from error
    return item


def _check_key(value: dict[str, Any]) -> None:
    if not value["S"]:
        raise ValueError("a key is empty")


def _parsed(value: Any) -> dict[str, Any]:
    ((kind, content),) = value.items()
    return {kind: _PARSERS[kind](content)}


def _text(content: Any) -> str:
    content.encode()  # half a surrogate pair is no text
    return str(content)


def _number(content: Any) -> str:
    if not _NUMBER.fullmatch(content):
        raise ValueError(content)
    return str(content)


def _binary(content: Any) -> bytes:
    return base64.b64decode(_text(content), validate=True)


def _set_of(parse: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def parse_set(content: Any) -> list[Any]:
        members = [parse(each) for each in _list(content)]
        if not members or len(set(members)) < len(members):
            raise ValueError("a set is empty, or has something twice")
        return members

    return parse_set


def _list(content: Any) -> list[Any]:
    if not isinstance(content, list):
        raise TypeError(content)
    return content


def _same(*allowed: bool) -> Callable[[Any], bool]:
    def parse(content: Any) -> bool:
        if not isinstance(content, bool) or content not in allowed:
            raise ValueError(content)
        return content

    return parse


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "S": _text,
    "N": _number,
    "B": _binary,
    "SS": _set_of(_text),
    "NS": _set_of(_number),
    "BS": _set_of(_binary),
    "L": lambda content: [_parsed(each) for each in _list(content)],
    "M": lambda content: {_text(name): _parsed(each) for name, each in content.items()},
    "BOOL": _same(True, False),
    "NULL": _same(True),
}
