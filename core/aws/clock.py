"""The clock of whoever answers a client, read off its replies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from core.timestamps import now


@dataclass(slots=True)
class ReplyClock:
    """How far this machine's clock is ahead of that of who answers; None until a reply told.

    To the second, and a refusal tells as well as an answer: AWS refuses who is too far off.
    """

    ahead: timedelta | None = None

    def watch(self, client: Any) -> None:
        """Read the clock off every reply that ``client`` gets from now on."""
        client.meta.events.register("before-parse", self._read)

    def _read(self, response_dict: dict[str, Any], **_: Any) -> None:
        try:
            told = parsedate_to_datetime(response_dict["headers"]["Date"])
            self.ahead = now() - told
        except (KeyError, TypeError, ValueError):
            return  # not every engine says what time it is
