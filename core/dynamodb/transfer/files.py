"""What exports and imports share: errors of the file, and the progress callback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import InputError

Progress = Callable[[int, int | None], None]
"""Receives the number of items processed, and the total if it is known."""


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Raise the system's errors with ``path``, and refuse anything but a regular file.

    An export would replace a device with a file; an import reads twice and would find a pipe empty.
    """
    hint = "Name another file with --file."
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a regular file", hint)
        yield
    except OSError as error:
        raise InputError(f"Could not open {path}: {error.strerror}", hint) from error
