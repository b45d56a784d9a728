"""Handles standard streams that are closed, full or without Unicode, and early readers."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import sys
from types import TracebackType
from typing import TextIO

from core.printable import visible
from task_groups.config_files import unreadable_file


class GuardedText(io.TextIOWrapper):
    """A terminal's stream that spells out control characters."""

    def write(self, text: str) -> int:
        super().write(visible(text))
        return len(text)


def guard_terminals() -> None:
    """Protect a terminal on standard output or standard error from control characters.

    Everything that we or a library print goes through the guard; only text that is already safe is
    written :func:`unguarded`.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if type(stream) is io.TextIOWrapper and stream.isatty():
            stream.flush()
            guarded = GuardedText(
                stream.buffer,
                encoding=stream.encoding,
                errors=stream.errors,
                line_buffering=True,
                write_through=True,
            )
            setattr(sys, name, guarded)


def unguarded(stream: TextIO) -> TextIO:
    """The same terminal without the guard, for lines that hold our own colours and movements."""
    if not isinstance(stream, GuardedText):
        return stream
    stream.flush()
    bare = sys.__stdout__ if stream is sys.stdout else sys.__stderr__
    return bare or stream


def spell_out() -> None:
    """Make the streams spell out characters that their encoding lacks."""
    for stream in {sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__}:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def reason_of(error: OSError) -> str:
    """The system's reason for an error, on one line."""
    if error.strerror is None:
        return str(error)
    return ": ".join(str(part) for part in (error.filename, error.strerror) if part)


def drop_unwritten() -> None:
    """Keep Python from reporting, as it ends, that standard output accepts no more."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_out() -> None:
    """Write what was printed, so that a log of both streams has the lines in their order.

    Where that fails, the next write or the end reports it.
    """
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()


def install() -> None:
    """Report stream errors outside of tasks in one line, too.

    ``invoke --list | head``, ``invoke --help up > /dev/full``, Ctrl-C while it loads.
    """
    _replace_closed()
    guard_terminals()
    sys.excepthook = _end_quietly
    atexit.register(_flush)


def _replace_closed() -> None:
    """Replace closed streams, or ``print`` would write to another file."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 - for good


def _flush() -> None:
    """What Invoke printed may not be written before Python ends."""
    try:
        print(end="", flush=True)
    except BrokenPipeError:
        drop_unwritten()
    except OSError as error:
        drop_unwritten()
        print(reason_of(error), file=sys.stderr, flush=True)
        os._exit(1)  # Python's own code for it is 120, with a traceback


def _end_quietly(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """An exception hook: one line for errors that are not bugs."""
    code, line = 1, unreadable_file(error, trace) or ""
    if line:
        pass
    elif isinstance(error, BrokenPipeError):
        code = 0
    elif isinstance(error, OSError):
        line = reason_of(error)
    elif isinstance(error, KeyboardInterrupt):
        code, line = 130, "interrupted"
    else:
        sys.__excepthook__(kind, error, trace)
        return
    drop_unwritten()
    if line:
        print(line, file=sys.stderr)
    raise SystemExit(code)
