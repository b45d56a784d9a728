"""What counts as production: ``--prod``, or a store's own marker.

A loopback URL may be a tunnel, so the marker that is stored in the data counts as much as
``--prod``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Environment(StrEnum):
    """The name of a target; the stored markers use the same words."""

    LOCAL = "local"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class StoreState:
    """A store's marker, or whether it has data, read consistently.

    ``name`` is the database's or the table's name, which an operator types to confirm.
    ``environment`` is the stored marker, None where there is none. ``holds_data`` is read only
    if there is no marker, else False.
    """

    name: str
    environment: str | None
    holds_data: bool


def why_production(state: StoreState) -> str | None:
    """Why this store counts as production, or None if it does not."""
    if state.environment is not None and state.environment != Environment.LOCAL:
        return f"{state.name} is marked {state.environment!r}"
    if state.environment is None and state.holds_data:
        return f"{state.name} holds data and has no environment marker"
    return None
