"""What counts as production: any target but the local one, or a store's own marker.

A loopback URL may be a tunnel, so the marker that is stored in the data counts as much as
``--prod``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Environment(StrEnum):
    """The environments that every installation has; ``targets.toml`` may name more.

    The stored markers use the same words. Whatever is not ``LOCAL`` counts as production.
    """

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


def other_environment(state: StoreState, environment: str) -> str | None:
    """Why this store is not one of ``environment``, or None if it may be.

    A store without a marker, or marked local, may belong to any target; it counts as the target's.
    """
    if state.environment in (None, Environment.LOCAL, environment):
        return None
    return f"{state.name} is marked {state.environment!r}, not {str(environment)!r}"
