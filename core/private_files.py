"""Files that only their owner may read, whatever the umask: they hold users' data or passwords."""

from __future__ import annotations

import os
import stat
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


def replace_private_file(path: Path, text: str) -> None:
    """Write ``text`` to ``path``, whole or not at all, with mode 0600."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=_MODE)
    draft.write_text(text)
    draft.replace(path)
