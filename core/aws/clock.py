"""A server's clock, read from its replies to a client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from core.timestamps import now


@dataclass(slots=True)
class ReplyClock:
    """How far this machine's clock is ahead of the server's; None before the first reply.

    It is exact to the second. Error replies count too: AWS refuses requests when the clocks differ.
    """

    ahead: timedelta | None = None

    def watch(self, client: Any) -> None:
        """Read the clock from every reply that ``client`` gets from now on."""
        client.meta.events.register("before-parse", self._read)

    def _read(self, response_dict: dict[str, Any], **_: Any) -> None:
        try:
            replied_at = parsedate_to_datetime(response_dict["headers"]["Date"])
            self.ahead = now() - replied_at
        except (KeyError, TypeError, ValueError):
            return  # not every engine sends its time
