"""The keys of every item kind: the only place that builds and parses them.

===============  =============================  =============================
item             pk                             sk
===============  =============================  =============================
message          ``MSG#<message_group_uuid>``   created_at
message group    ``GRP#<user_uuid>``            last_message_at
pair             ``PAIR#<smaller>#<larger>``    ``PAIR``
environment      ``ENV#``                       ``ENV``
removal          ``GONE#<message_group_uuid>``  the removed message's sort key
erasure          ``GONE#<message_group_uuid>``  ``MEMBER``
erased user      ``ERASED#``                    SHA-256 of the user_uuid
hold             ``HOLD#``                      user_uuid
===============  =============================  =============================

A message may have the key of a removed one and be removed as well. Its removal then has
``<sort key>#<message_uuid>``, beside the first one.
"""

from __future__ import annotations

import hashlib
from typing import Any

INDEX = "message-group-sk-index"
"""Inbox rows by ``message_group_uuid`` and ``sk``. Sparse: no other item carries that attribute."""

_MESSAGE = "MSG#"
_GROUP = "GRP#"
_PAIR = "PAIR#"
_REMOVAL = "GONE#"

Key = dict[str, dict[str, str]]
Item = dict[str, dict[str, Any]]
"""An item as DynamoDB's low-level API has it: ``{"pk": {"S": "…"}, …}``."""


_MAX_ID_BYTES = 2000
"""A partition key has 1 to 2,048 bytes, prefix included:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""


def can_be_id(text: str) -> bool:
    """Whether ``text`` can be part of a partition key of the table or the index."""
    try:
        return 0 < len(text.encode()) <= _MAX_ID_BYTES
    except UnicodeEncodeError:
        return False


def key(pk: str, sk: str) -> Key:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def message_pk(message_group_uuid: str) -> str:
    return f"{_MESSAGE}{message_group_uuid}"


def inbox_pk(user_uuid: str) -> str:
    return f"{_GROUP}{user_uuid}"


def pair_key(one: str, other: str) -> Key:
    """The key of the pair of two users, in either order."""
    smaller, larger = sorted((one, other))
    return key(f"{_PAIR}{smaller}#{larger}", "PAIR")


def removal_pk(message_group_uuid: str) -> str:
    return f"{_REMOVAL}{message_group_uuid}"


def removal_keys(message_group_uuid: str, sort_key: str, message_uuid: str) -> tuple[Key, Key]:
    """The keys that the removal of a message can have: the second if another has the first."""
    pk = removal_pk(message_group_uuid)
    return key(pk, sort_key), key(pk, f"{sort_key}#{message_uuid}")


def removed_sort_key(sk: str) -> str:
    """The sort key of the removed message, from its removal's own."""
    return sk.partition("#")[0]


ERASURE_SK = "MEMBER"
"""The sort key of an erasure, in the partition of the conversation's removals."""


def erasure_key(message_group_uuid: str) -> Key:
    """The key of the erasure of one of a conversation's members."""
    return key(removal_pk(message_group_uuid), ERASURE_SK)


ERASED_PK = "ERASED#"


def erased_digest(user_uuid: str) -> str:
    """What an erased user is known by: nobody can compute the uuid from it."""
    return hashlib.sha256(user_uuid.strip().lower().encode(errors="surrogatepass")).hexdigest()


def erased_user_key(user_uuid: str) -> Key:
    """The key of the record that a user is erased: nothing of the user is stored again."""
    return key(ERASED_PK, erased_digest(user_uuid))


HOLD_PK = "HOLD#"


def hold_key(user_uuid: str) -> Key:
    """The key of the hold on a user: while it exists, none of the user's messages is removed."""
    return key(HOLD_PK, user_uuid)


ENVIRONMENT_KEY = key("ENV#", "ENV")


def message_group_of(pk: str) -> str | None:
    """The ``message_group_uuid`` of a message's pk; None for any other pk."""
    return pk.removeprefix(_MESSAGE) if pk.startswith(_MESSAGE) else None


def removal_group_of(pk: str) -> str | None:
    """The ``message_group_uuid`` of a removal's pk; None for any other pk."""
    return pk.removeprefix(_REMOVAL) if pk.startswith(_REMOVAL) else None


def owner_of(pk: str) -> str | None:
    """The ``user_uuid`` of the inbox that an inbox row's pk names; None for any other pk."""
    return pk.removeprefix(_GROUP) if pk.startswith(_GROUP) else None


def pair_of(pk: str) -> tuple[str, ...] | None:
    """The two user uuids of a pair's pk, in order; None for any other pk."""
    return tuple(pk.removeprefix(_PAIR).split("#")) if pk.startswith(_PAIR) else None
