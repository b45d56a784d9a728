"""Converts items to models and back. Reading is lenient: others write this table too."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer

from core.dynamodb import keys
from core.dynamodb.dynamodb_json import MAX_EXPONENT
from core.dynamodb.keys import Item, Key
from core.models import Erasure, InboxRow, Message, Person, Removal
from core.timestamps import parse


class _Deserializer(TypeDeserializer):  # type: ignore[misc]
    """The SDK's deserializer, for numbers of any length: the SDK's fails beyond 38 digits.

    A value that is not a finite number stays text.
    """

    def _deserialize_n(self, value: str) -> Decimal | str:
        try:
            number = Decimal(value)
        except InvalidOperation:
            return value
        return number if number.is_finite() else value


_deserialize = _Deserializer().deserialize

_AFTER_REMOVAL = "after_removal"


def message_item(message: Message) -> Item:
    """The stored form of ``message``: all strings, and no ``message_group_uuid``."""
    return keys.key(keys.message_pk(message.message_group_uuid), message.sort_key) | {
        "message_uuid": {"S": message.message_uuid},
        "message": {"S": message.text},
        "user_uuid": {"S": message.sender.uuid},
        "user_display_name": {"S": message.sender.display_name},
        "user_handle": {"S": message.sender.handle},
    }


def inbox_row_item(row: InboxRow) -> Item:
    """The stored form of one member's inbox row: all seven attributes.

    A row that a removal put back has one more, so that no request from before the removal takes it
    for the row that it read. So has a row that a message with an earlier time left in its place.
    """
    after_removal = {_AFTER_REMOVAL: {"S": row.after_removal}} if row.after_removal else {}
    return (
        after_removal
        | keys.key(keys.inbox_pk(row.owner_uuid), row.sort_key)
        | {
            "message_group_uuid": {"S": row.message_group_uuid},
            "message": {"S": row.preview},
            "user_uuid": {"S": row.other.uuid},
            "user_display_name": {"S": row.other.display_name},
            "user_handle": {"S": row.other.handle},
        }
    )


def message_from(item: Mapping[str, Any]) -> Message:
    """The message in ``item``; a missing attribute reads as an empty string."""
    sort_key = text_of(item, "sk")
    return Message(
        message_group_uuid=keys.message_group_of(text_of(item, "pk")) or "",
        message_uuid=text_of(item, "message_uuid"),
        sender=_person(item),
        text=text_of(item, "message"),
        sort_key=sort_key,
        created_at=parse(sort_key),
    )


def inbox_row_from(item: Mapping[str, Any]) -> InboxRow:
    """The inbox row in ``item``; a missing attribute reads as an empty string."""
    sort_key = text_of(item, "sk")
    return InboxRow(
        message_group_uuid=text_of(item, "message_group_uuid"),
        owner_uuid=keys.owner_of(text_of(item, "pk")) or "",
        other=_person(item),
        preview=text_of(item, "message"),
        sort_key=sort_key,
        last_message_at=parse(sort_key),
        after_removal=text_of(item, _AFTER_REMOVAL),
    )


def removal_item(removal: Removal, key: Key) -> Item:
    """The stored form of ``removal``: no text, no name, no user's uuid."""
    return key | {
        "message_uuid": {"S": removal.message_uuid},
        "removed_at": {"S": removal.removed_at},
        "reason_code": {"S": removal.reason_code},
    }


def removal_from(item: Mapping[str, Any]) -> Removal:
    """The removal in ``item``; a missing attribute reads as an empty string."""
    return Removal(
        message_group_uuid=keys.removal_group_of(text_of(item, "pk")) or "",
        message_uuid=text_of(item, "message_uuid"),
        sort_key=keys.removed_sort_key(text_of(item, "sk")),
        removed_at=text_of(item, "removed_at"),
        reason_code=text_of(item, "reason_code"),
    )


def erasure_item(erasure: Erasure) -> Item:
    """The stored form of ``erasure``: the remaining member's uuid, not the erased one's."""
    return keys.erasure_key(erasure.message_group_uuid) | {
        "remaining_user_uuid": {"S": erasure.remaining_user_uuid},
        "replacement_uuid": {"S": erasure.replacement_uuid},
        "removed_at": {"S": erasure.removed_at},
    }


def erasure_from(item: Mapping[str, Any]) -> Erasure:
    """The erasure in ``item``; a missing attribute reads as an empty string."""
    return Erasure(
        message_group_uuid=keys.removal_group_of(text_of(item, "pk")) or "",
        remaining_user_uuid=text_of(item, "remaining_user_uuid"),
        replacement_uuid=text_of(item, "replacement_uuid"),
        removed_at=text_of(item, "removed_at"),
    )


def _person(item: Mapping[str, Any]) -> Person:
    return Person(
        uuid=text_of(item, "user_uuid"),
        handle=text_of(item, "user_handle"),
        display_name=text_of(item, "user_display_name"),
    )


def text_of(item: Mapping[str, Any], name: str) -> str:
    """The attribute as text, whatever type it was stored with; ``""`` where it is missing."""
    value = item.get(name)
    if value is None:
        return ""
    if "S" in value:
        return str(value["S"])
    return str(_plain(_deserialize(value)))


def plain_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """``item`` in JSON's own types, for people: sets become lists, binary becomes base64.

    Numbers beyond a float's precision stay exact as integers, and as text otherwise.
    """
    return {
        name: value["S"] if "S" in value else _plain(_deserialize(value))
        for name, value in item.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, Binary | bytes):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, set | frozenset):
        return sorted((_plain(entry) for entry in value), key=str)
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return value


def _number(value: Decimal) -> int | float | str:
    if value and value.adjusted() > MAX_EXPONENT:
        return str(value)  # converting that many digits may take very long
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
