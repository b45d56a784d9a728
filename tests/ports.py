"""Ports of 127.0.0.1 for the servers that tests start."""

from __future__ import annotations

import random

from core.engines.processes import is_free

# Below the range that systems give to outgoing connections. Drawn, not counted up: two test
# runs, or two workers of one, that look at the same time must not choose the same port.
_RANGE = range(15_000, 30_000)


def free_port() -> int:
    """A port that nothing listens on."""
    return next(port for port in random.sample(_RANGE, 200) if is_free(port))
