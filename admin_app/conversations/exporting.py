"""The export of the open conversation, as a file that the browser downloads."""

from __future__ import annotations

import functools
from collections.abc import Generator
from typing import Any

from admin_app import access, actions, latest_downloads
from admin_app.access import Desk
from admin_app.conversations import elements
from admin_app.downloads import Progress
from core.postgres import find_people_by_uuid
from core.usecases import conversation_export
from core.usecases.conversation_export import FORMATS, Format
from core.usecases.conversations import Membership

_KIND = "conversation"


def begin(place: Membership, group: str, format_name: str, reason: str) -> None:
    """Begin the export of a conversation, audited; the page then lets the browser fetch it."""
    if (form := FORMATS.get(format_name)) is None:
        return
    about = (place.user.uuid, place.other.uuid)
    source = functools.partial(_parts, access.desk(reason), about, group, form)
    other = place.other.handle or place.other.uuid
    name = f"{place.user.handle}-and-{other}"[:80] + f".{form}"
    stop()
    latest_downloads.begin(_KIND, name, form.media_type, "messages", source, about=group)


def stop() -> None:
    """Stop the export that runs."""
    latest_downloads.stop(_KIND)


def data(group: str) -> dict[str, Any] | None:
    """What the page's element shows of the conversation's export; of another's, while it runs."""
    if (problem := latest_downloads.problem(_KIND, group)) is not None:
        return {"problem": elements.trouble(problem)}
    download = latest_downloads.latest(_KIND, group) or latest_downloads.running(_KIND)
    return elements.download(download) if download is not None else None


def _parts(
    desk: Desk, about: tuple[str, ...], group: str, form: Format, progress: Progress
) -> Generator[str]:
    """Read the conversation, audited. Does not call Streamlit."""
    with desk.open(actions.EXPORT_CONVERSATION, about=about, conversation=group) as stores:
        names = functools.partial(find_people_by_uuid, stores.db)
        source = stores.target.describe_dynamodb()
        parts = conversation_export.export_conversation(stores.table, group, form, names, source)
        for seen, part in enumerate(parts):
            progress(seen)
            yield part
