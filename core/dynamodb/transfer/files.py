"""What exports and imports have in common: the file, and how far they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import InputError

Progress = Callable[[int, int | None], None]
"""Takes how many items are dealt with, and how many there are, as far as that is known."""


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Tell what the system says of ``path``, and refuse what is there and no regular file.

    An export would replace a device by a file; an import, which reads twice, find a pipe empty.
    """
    hint = "Give another --file."
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a regular file", hint)
        yield
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint) from error
