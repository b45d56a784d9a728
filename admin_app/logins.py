"""What a login is, how long it lasts, and which ones have ended. Does not call Streamlit.

Streamlit keeps the provider's claims in a signed cookie for 30 days, and gives every tab a copy
when the tab is opened. So the age of a login is checked here, and the server remembers who logged
out: logging out in one tab ends the login in all tabs.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.timestamps import now

GOOD_FOR_S = 12 * 3600
_CLOCKS_DIFFER_BY_S = 300
"""How far the provider's clock may be ahead of this machine's."""


@dataclass(frozen=True, slots=True)
class Login:
    """One person's login: the provider's claims, and their time (``issued_at``, Unix time)."""

    issuer: str
    subject: str
    issued_at: float
    email: str
    groups: frozenset[str]

    @property
    def key(self) -> tuple[str, str, float]:
        """An identifier that all tabs of this login share, and no other login has."""
        return self.issuer, self.subject, self.issued_at

    @property
    def is_valid(self) -> bool:
        """Whether the login is not too old and has not ended."""
        age_s = now().timestamp() - self.issued_at
        return -_CLOCKS_DIFFER_BY_S < age_s < GOOD_FOR_S and not ENDED.holds(self)


class EndedLogins:
    """The logins that people have ended, until they would have expired."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[tuple[str, str, float]] = set()

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, login: Login) -> None:
        """End ``login``; forget logins that have expired."""
        oldest = now().timestamp() - GOOD_FOR_S
        with self._lock:
            self._keys = {key for key in self._keys if key[2] > oldest} | {login.key}

    def holds(self, login: Login) -> bool:
        return login.key in self._keys


ENDED = EndedLogins()
"""The ended logins of this server."""

login_is_required = threading.Event()
"""Set once the server has asked for a login: then downloads need a login too."""


def login_from(claims: Mapping[str, Any]) -> Login | None:
    """The login that the provider's ``claims`` describe; None if nobody is logged in.

    The groups come from Cognito's claim, or from the usual one.
    """
    if not claims.get("is_logged_in", False):
        return None
    groups = claims.get("cognito:groups") or claims.get("groups") or []
    return Login(
        issuer=str(claims.get("iss") or ""),
        subject=str(claims.get("sub") or ""),
        issued_at=float(str(claims.get("iat") or 0)),
        email=str(claims.get("email") or ""),
        groups=frozenset([groups] if isinstance(groups, str) else groups),
    )
