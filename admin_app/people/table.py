"""The table of users: the element's data, and its questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from admin_app.conversations import elements
from admin_app.conversations.elements import Question
from core.models import User

_MOCK = "MOCK"
_SUBJECT = "users"


def show(shown: Sequence[User], counts: Mapping[str, int], signed_up: Mapping[str, str]) -> None:
    """Show these users.

    ``counts`` are the numbers of conversations that were counted, ``signed_up`` what Cognito said,
    both by uuid.
    """
    data = {
        "subject": _SUBJECT,
        "order": " ".join(user.uuid for user in shown),
        "chosen": st.query_params.get("user", ""),
        "sought": st.session_state.get("q") or "",
        "total": len(shown),
        "start": 0,
        "rows": [
            {
                "handle": user.handle,
                "name": user.display_name,
                "email": user.email,
                "cognito": signed_up.get(user.uuid, link(user)),
                "conversations": counts.get(user.uuid),
                "ms": elements.milliseconds(user.created_at),
            }
            for user in shown
        ],
    }
    elements.show("users", data, _answer)


def link(user: User) -> str:
    """What Postgres has about the person's Cognito user."""
    return "not linked" if user.cognito_user_id == _MOCK else f"linked: {user.cognito_user_id}"


def _answer(question: Question) -> None:
    match question:
        case {"kind": "open", "handle": str(handle)}:
            st.query_params["user"] = handle
