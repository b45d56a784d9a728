"""Messages as web pages that need no other file: to read, to print, to hand over.

Stored text only becomes text: it is escaped, no script runs, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from datetime import date

from core.models import Message, Person

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that no web page may contain."""

# The numbers of the pages are those of the print: https://drafts.csswg.org/css-page-3/#margin-boxes
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; max-width: 46em; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 1.35em; overflow-wrap: anywhere; }
h2 { font-size: 1em; color: #555; border-bottom: 1px solid #ddd; padding-bottom: .2em;
  margin-top: 1.6em; break-after: avoid; }
p { margin: 0; }
article { margin: .7em 0; break-inside: avoid; }
.who { overflow-wrap: anywhere; }
.who span, .about, dt, time { color: #555; font-size: .87em; }
time { float: right; margin-left: 1em; font-variant-numeric: tabular-nums; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.removed { font-style: italic; color: #555; }
dt { margin-top: .8em; }
dd { overflow-wrap: anywhere; }
@page {
  margin: 18mm 16mm 20mm;
  @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 9pt sans-serif; }
}
@media print { body { max-width: none; margin: 0; padding: 0; font-size: 11pt; } }
"""


def document(title: str, body: Iterable[str]) -> Iterator[str]:
    """The parts of a web page with this title; ``body`` is markup."""
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{text(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1><bdi>{text(title)}</bdi></h1>\n"
    )
    yield from body
    yield "</body></html>\n"


def text(value: object) -> str:
    """``value`` as text of a web page, whatever it contains."""
    return html.escape(_CONTROLS.sub("\ufffd", str(value)))


def thread(messages: Iterable[Message]) -> Iterator[str]:
    """The messages as markup, with a heading for each day in UTC."""
    yield '<p class="about">All times are UTC.</p>\n'
    day: date | None = None
    for message in messages:
        sent_at = message.created_at
        if sent_at is not None and sent_at.date() != day:
            day = sent_at.date()
            yield f"<h2>{sent_at:%A, %-d %B %Y}</h2>\n"
        yield _article(message)


def _article(message: Message) -> str:
    exact = text(message.sort_key)
    clock = f"{message.created_at:%H:%M:%S}" if message.created_at else exact
    stamp = f'<time title="{exact}">{clock}</time>'
    if message.removal:
        return f'<article><p class="removed">{stamp}{text(message.text)}</p></article>\n'
    return (
        f'<article><p class="who">{stamp}{_person(message.sender)}</p>'
        f'<p class="text" dir="auto">{text(message.text)}</p></article>\n'
    )


def _person(person: Person) -> str:
    name = f"<strong><bdi>{text(person.display_name)}</bdi></strong>" if person.display_name else ""
    handle = text(f"@{person.handle}" if person.handle else person.uuid)
    return f"{name} <span><bdi>{handle}</bdi></span>"
