"""Log lines with text from requests, without characters that control a terminal."""

from __future__ import annotations

import logging
import traceback


class PlainRecord(logging.LogRecord):
    """A log record whose message is one line of printable characters."""

    def getMessage(self) -> str:  # noqa: N802 - logging's own name
        """The message with its arguments, without line breaks, escapes or changes of direction."""
        return plain(super().getMessage())

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if isinstance(self.exc_info, tuple) and self.exc_info[1] is not None:
            lines = "".join(traceback.format_exception(self.exc_info[1])).splitlines()
            self.exc_text = "\n".join(plain(line) for line in lines)


def plain(text: str) -> str:
    """``text`` with an escape for every character that is not printable."""
    return "".join(c if c.isprintable() else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    if character in "\r\n\t":
        return " "
    code = ord(character)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65_536 else f"\\U{code:08x}"
    )


def install() -> None:
    """Write every log line of this process this way, also those of the server itself."""
    logging.setLogRecordFactory(PlainRecord)
