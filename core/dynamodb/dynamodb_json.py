"""DynamoDB JSON, the lossless form of items on disk: binary in base64, everything else as it is.

What each type may hold:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Hashable, Mapping
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any

from core import json_objects
from core.dynamodb.keys import Item
from core.json_lines import parsed_line

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_EXACT = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)
_MAX_DIGITS = 38
_MIN_EXPONENT, MAX_EXPONENT = -130, 125
_MAX_LEVELS = 32


def raw_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """``item`` as DynamoDB JSON, with binary values in base64: lossless."""
    return {name: _raw(value) for name, value in item.items()}


def _raw(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: base64_text(content)}
    if kind == "BS":
        return {kind: [base64_text(entry) for entry in content]}
    if kind == "L":
        return {kind: [_raw(entry) for entry in content]}
    if kind == "M":
        return {kind: {name: _raw(entry) for name, entry in content.items()}}
    return {kind: content}


def base64_text(binary: bytes) -> str:
    """A binary value as it is in DynamoDB JSON."""
    return base64.b64encode(binary).decode("ascii")


def same_item(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    """Whether two items have the same content; sets have no order, and 1.0 equals 1."""
    return one is not None and canonical(raw_item(one)) == canonical(raw_item(other))


def canonical(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB JSON with the members of sets in one order, and numbers in one form."""
    return {name: _canonical(value) for name, value in item.items()}


def _canonical(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "N":
        return {kind: _normal(content)}
    if kind == "NS":
        return {kind: sorted(map(_normal, content))}
    if kind in ("SS", "BS"):
        return {kind: sorted(content)}
    if kind == "L":
        return {kind: [_canonical(entry) for entry in content]}
    return {kind: canonical(content) if kind == "M" else content}


def _normal(number: str) -> str:
    """The same text for all spellings of one number; any other text unchanged."""
    try:
        return str(Decimal(number).normalize(_EXACT) or 0)
    except InvalidOperation:
        return number


def parsed_item(line: bytes) -> Item:
    """The item in a line of DynamoDB JSON, in the SDK's form: binary in bytes.

    Raises:
        RepeatedNameError: a name occurs twice in one object, at any depth.
        ValueError: it is not an item of the message table: a key or a value is invalid.
    """
    try:
        attributes = json_objects.parse(line)
    except json_objects.RepeatedNameError:
        raise
    except (RecursionError, ValueError) as error:
        raise ValueError(f"invalid item: {error}") from error
    return checked_item(attributes)


def item_of_strings(line: bytes) -> Item | None:
    """The item in a line of DynamoDB JSON if it has only strings, as ours have; else None.

    It finds in one look what :func:`parsed_item` checks piece by piece. An item of strings has six
    quotation marks for each attribute: around its name, its type and its text. Any others may be
    those of a repeated name, which the parser drops. Strict UTF-8 has no surrogates; escapes may.
    """
    if b"\\u" in line:
        return None
    try:
        item = parsed_line(line)
    except ValueError:
        return None
    if type(item) is not dict or line.count(b'"') != 6 * len(item):
        return None
    for value in item.values():
        if type(value) is not dict or type(value.get("S")) is not str:
            return None
    try:
        keys_are_empty = not (item["pk"]["S"] and item["sk"]["S"])
    except KeyError:
        return None
    index_key = item.get("message_group_uuid")
    return None if keys_are_empty or (index_key and not index_key["S"]) else item


def checked_item(attributes: Any) -> Item:
    """The item with these ``attributes`` in DynamoDB JSON, in the SDK's form: binary in bytes.

    Raises:
        ValueError: it is not an item of the message table: a key or a value is invalid.
    """
    try:
        item = {_text(name): _parsed(value) for name, value in attributes.items()}
        _check_key(item["pk"])
        _check_key(item["sk"])
        _check_key(item.get("message_group_uuid", item["pk"]))  # of the index, which is sparse
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"invalid item: {error}") from error
    return item


def _check_key(value: dict[str, Any]) -> None:
    if not value["S"]:
        raise ValueError("a key is empty")


def _parsed(value: Any, levels: int = _MAX_LEVELS) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind not in ("L", "M"):
        return {kind: _PARSERS[kind](content)}
    if not levels:
        raise ValueError("nested too deeply")
    if kind == "L":
        return {kind: [_parsed(member, levels - 1) for member in _list(content)]}
    return {kind: {_text(name): _parsed(member, levels - 1) for name, member in content.items()}}


def _text(content: Any) -> str:
    content.encode()  # fails on a lone surrogate
    return str(content)


def _number(content: Any) -> str:
    if not _NUMBER.fullmatch(content):
        raise ValueError(content)
    try:
        number = Decimal(content).normalize(_EXACT)
    except InvalidOperation as error:
        raise ValueError(content) from error
    is_in_range = _MIN_EXPONENT <= number.adjusted() <= MAX_EXPONENT
    if number and not (is_in_range and len(number.as_tuple().digits) <= _MAX_DIGITS):
        raise ValueError(content)
    return str(content)


def _binary(content: Any) -> bytes:
    return base64.b64decode(_text(content), validate=True)


def _set_of(
    parse: Callable[[Any], Any], identity: Callable[[Any], Hashable] = lambda member: member
) -> Callable[[Any], list[Any]]:
    def parse_set(content: Any) -> list[Any]:
        members = [parse(member) for member in _list(content)]
        if not members or len(set(map(identity, members))) < len(members):
            raise ValueError("a set is empty, or has a member twice")
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
    "NS": _set_of(_number, Decimal),
    "BS": _set_of(_binary),
    "BOOL": _same(True, False),
    "NULL": _same(True),
}
