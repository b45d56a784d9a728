"""Retries requests to a busy or silent table, and limits for how long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from core.errors import StoreError, UnreachableError

Done = TypeVar("Done")

LONG_S = 300.0
SILENCE_S = 30.0


class Backoff:
    """Pauses between retries: ever longer, with jitter, until a deadline.

    The jitter is AWS's "full jitter":
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    def __init__(self, total_s: float = 30.0) -> None:
        self._deadline = time.monotonic() + total_s
        self._ceiling_s = 0.02

    def pause(self) -> bool:
        """True after a pause; False when the time is up."""
        if time.monotonic() > self._deadline:
            return False
        time.sleep(random.uniform(0, self._ceiling_s))
        self._ceiling_s = min(1.0, self._ceiling_s * 2)
        return True


def retry_while_busy(
    act: Callable[[], Done],
    is_over: Callable[[], bool] = lambda: False,
    silence_s: float = SILENCE_S,
) -> Done:
    """The result of ``act``, retried: a table may be throttled for longer than the SDK retries.

    It is retried for up to :data:`LONG_S`, or for up to ``silence_s`` where the store does not
    answer. Retries stop early when ``is_over`` returns True.
    """
    busy, silent = Backoff(LONG_S), Backoff(silence_s)
    while True:
        try:
            return act()
        except StoreError as error:
            backoff = silent if isinstance(error, UnreachableError) else busy
            if is_over() or not (error.is_transient and backoff.pause()):
                raise
