"""The purposes a store can be opened for, and what each allows.

===========  =======================================================================
purpose      what a handle opened for it can do
===========  =======================================================================
looking      descriptions, sizes, counts, the environment marker; no user's text or address
verifying    looking, and reading everything to compare it: only keys are ever shown
making       looking, creating what is missing, marking what has no environment marker
reading      looking, and reading whatever is stored
writing      reading, making, and adding or changing what is stored
destroying   everything
===========  =======================================================================

The store packages check each request against the purpose of its handle before it is sent, so code
that forgets to ask for a permission fails. :mod:`core.access` decides who may open a store for
which purpose.
"""

from __future__ import annotations

from enum import StrEnum

from core.errors import NotPermittedError


class Need(StrEnum):
    """The permission that one request needs."""

    LOOK = "look"
    MAKE = "make"
    READ = "read"
    WRITE = "write"
    DESTROY = "destroy"


class Purpose(StrEnum):
    """The purpose that a store is opened for."""

    LOOKING = "looking"
    VERIFYING = "verifying"
    MAKING = "making"
    READING = "reading"
    WRITING = "writing"
    DESTROYING = "destroying"

    def allows(self, need: Need) -> bool:
        return need in _ALLOWED[self]

    def require(self, need: Need, what: str) -> None:
        """Refuse ``what``, a request or a statement, unless the purpose allows it.

        Raises:
            NotPermittedError: the purpose does not allow it. Nothing was sent.
        """
        if not self.allows(need):
            raise NotPermittedError(
                f"The store was opened for {self}, which does not allow {what}",
                "Nothing was sent. This is a bug in Cruddur Ops: report it.",
            )

    def is_within(self, other: Purpose) -> bool:
        """Whether ``other`` allows all that this purpose allows."""
        return _ALLOWED[self] <= _ALLOWED[other]

    @property
    def allows_all(self) -> bool:
        return self is Purpose.DESTROYING

    @property
    def needs_name(self) -> bool:
        """Whether production's name is typed for it in a terminal."""
        return self in (Purpose.WRITING, Purpose.DESTROYING)

    @property
    def changes_stores(self) -> bool:
        return self in (Purpose.MAKING, Purpose.WRITING, Purpose.DESTROYING)


_ALLOWED = {
    Purpose.LOOKING: {Need.LOOK},
    Purpose.VERIFYING: {Need.LOOK, Need.READ},
    Purpose.MAKING: {Need.LOOK, Need.MAKE},
    Purpose.READING: {Need.LOOK, Need.READ},
    Purpose.WRITING: {Need.LOOK, Need.READ, Need.MAKE, Need.WRITE},
    Purpose.DESTROYING: set(Need),
}
