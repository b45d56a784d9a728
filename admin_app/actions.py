"""Every action of the admin UI on the stores, by its name in the audit."""

from __future__ import annotations

from core.access import Action, Store
from core.purposes import Purpose

_READING_BOTH = {Store.POSTGRES: Purpose.READING, Store.DYNAMODB: Purpose.READING}
_WRITING_MESSAGES = {Store.POSTGRES: Purpose.READING, Store.DYNAMODB: Purpose.WRITING}
_HOLDING = {Store.POSTGRES: Purpose.LOOKING, Store.DYNAMODB: Purpose.WRITING}
_VERIFYING = {Store.POSTGRES: Purpose.VERIFYING, Store.DYNAMODB: Purpose.VERIFYING}

OPEN_INBOX = Action("inbox opened", _READING_BOTH)
OPEN_CONVERSATION = Action("conversation opened", _READING_BOTH)
EXPORT_CONVERSATION = Action("conversation exported", _READING_BOTH)
OPEN_MESSAGE_GROUPS = Action("message groups opened", _READING_BOTH)
DOWNLOAD_MESSAGE_GROUPS = Action("message groups downloaded", _READING_BOTH)
SEARCH_MESSAGES = Action("messages searched", _READING_BOTH)
OPEN_USERS = Action("users opened", {Store.POSTGRES: Purpose.READING})
ASK_COGNITO = Action("Cognito users read", {Store.AWS: Purpose.READING})
SEND_MESSAGE = Action("message sent", _WRITING_MESSAGES)
REMOVE_MESSAGE = Action(
    "message removed",
    {Store.DYNAMODB: Purpose.DESTROYING},
    asks_everywhere=True,
    asks_reason=True,
)
START_CONVERSATION = Action("conversation started or continued", _WRITING_MESSAGES)
CREATE_USER = Action("user created", {Store.POSTGRES: Purpose.WRITING}, confirmed_by=Store.POSTGRES)
RENAME_USER = Action(
    "user renamed", {Store.POSTGRES: Purpose.WRITING, Store.DYNAMODB: Purpose.WRITING}
)
EXPORT_USER = Action("user exported", _READING_BOTH)
HOLD_USER = Action("user held", _HOLDING, asks_reason=True)
RELEASE_USER = Action("user released", _HOLDING, asks_reason=True)
PLAN_ERASURE = Action("erasure planned", _VERIFYING)
ERASE_USER = Action(
    "user erased",
    {Store.POSTGRES: Purpose.DESTROYING, Store.DYNAMODB: Purpose.DESTROYING},
    asks_everywhere=True,
    asks_reason=True,
)
VERIFY = Action("store verified", _VERIFYING)
REPAIR = Action(
    "store repaired",
    {Store.POSTGRES: Purpose.VERIFYING, Store.DYNAMODB: Purpose.DESTROYING},
    asks_everywhere=True,
)

ALL = (
    OPEN_INBOX,
    OPEN_CONVERSATION,
    EXPORT_CONVERSATION,
    OPEN_MESSAGE_GROUPS,
    DOWNLOAD_MESSAGE_GROUPS,
    SEARCH_MESSAGES,
    OPEN_USERS,
    ASK_COGNITO,
    SEND_MESSAGE,
    REMOVE_MESSAGE,
    START_CONVERSATION,
    CREATE_USER,
    RENAME_USER,
    EXPORT_USER,
    HOLD_USER,
    RELEASE_USER,
    PLAN_ERASURE,
    ERASE_USER,
    VERIFY,
    REPAIR,
)
