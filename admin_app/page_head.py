"""What the server adds to Streamlit's page: its own address, its first scripts, the styles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from admin_app import scripts

_STATIC = Path(st.__file__).parent / "static"
_STYLES = Path(__file__).with_name("assets") / "pages.css"
_FIRST_DRAWN = ("BidiComponent", "TextInput")
_OWN_FIRST_DRAWN = (
    "common",
    "nav",
    "focus",
    "banner",
    "command_lines",
    "person",
    "thread",
    "unsent",
    "rows",
    "inbox",
)
"""Parts of Streamlit's frontend, and our own scripts, that every link to a conversation needs."""

_STATIC_IMPORT = re.compile(r"""(?:from|import)\s*["']\./([\w.-]+\.js)["']""")


def extended(page: bytes) -> bytes:
    """Streamlit's ``page`` with what ours need.

    A page would look for its server's address in each part of its path. It would ask for the
    scripts of an element when it draws the first one. Styles in elements would be drawn last.
    """
    return page.replace(b"<title>", _HEAD + b"<title>", 1).replace(
        b"</body>", _FOOT + b"</body>", 1
    )


def _preloads() -> Iterator[str]:
    """The addresses of the scripts of the first elements, and of what these import."""
    known = set(re.findall(r"/js/([\w.-]+\.js)", (_STATIC / "index.html").read_text("utf-8")))
    waiting = [
        file.name for part in _FIRST_DRAWN for file in (_STATIC / "static/js").glob(f"{part}.*.js")
    ]
    while waiting:
        name = waiting.pop(0)
        if name not in known:
            known.add(name)
            waiting += _STATIC_IMPORT.findall((_STATIC / "static/js" / name).read_text("utf-8"))
            yield f"/static/js/{name}"
    yield from map(scripts.address, _OWN_FIRST_DRAWN)


_HEAD = (
    "<script>window.__streamlit = {BACKEND_BASE_URL: location.origin}</script>"
    + "".join(f'<link rel="modulepreload" crossorigin href="{path}">' for path in _preloads())
).encode()
_FOOT = f"<style>{_STYLES.read_text('utf-8')}</style>".encode()
