"""Files that only their owner may read, whatever the umask: they hold users' data or passwords."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_MODE = 0o600


def open_private(path: Path) -> IO[bytes]:
    """The file at ``path``, for appending, with mode 0600, created if it is missing.

    Raises:
        OSError: it cannot be written, or belongs to another user.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):  # not /dev/null, which is everybody's
            os.fchmod(descriptor, _MODE)  # an existing file may be readable by others
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "ab")


@contextmanager
def new_private_file(path: Path) -> Iterator[IO[bytes]]:
    """A file with mode 0600, which is at ``path`` once the block ends, and nowhere if it raises.

    Until then it is beside it, with the ending .part.

    Raises:
        OSError: it cannot be written, or ``path`` is a folder.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    draft = path.with_name(path.name + ".part")
    draft.unlink(missing_ok=True)
    try:
        with open_private(draft) as file:
            yield file
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def replace_private_file(path: Path, text: str) -> None:
    """Write ``text`` to ``path``, whole or not at all, with mode 0600."""
    with new_private_file(path) as file:
        file.write(text.encode())
