"""What a page asks for after its browser has asked for another page does not reach Streamlit."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from admin_app.server import DropLeftPagesRequests

HERE, THERE = "here", "there"


def opens(page: str) -> bytes:
    """A link, the browser's Back, or the first request of a tab, which may not know its page."""
    return asks_for(page)


def asks_for(page: str, *, fragment: str = "", widget: str = "") -> bytes:
    message = BackMsg()
    message.rerun_script.page_script_hash = page
    message.rerun_script.fragment_id = fragment
    if widget:
        message.rerun_script.widget_states.widgets.add(id=widget)
    return message.SerializeToString()


FILTER = {"fragment": "inbox", "widget": "filter"}
BOX = {"widget": "box"}
REFRESH = {"fragment": "table"}
STOP = BackMsg(stop_script=True).SerializeToString()


def passed_on(*frames: bytes) -> list[bytes]:
    """Those of the frames of one connection that reach the app behind."""
    waiting = [{"type": "websocket.receive", "bytes": frame} for frame in frames]
    passed: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "websocket.disconnect", "code": 1001}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            passed.append(message["bytes"])

    async def send(message: Any) -> None:
        raise AssertionError(message)

    asyncio.run(DropLeftPagesRequests(app)({"type": "websocket"}, receive, send))
    return passed


@pytest.mark.parametrize("late", [FILTER, BOX, REFRESH], ids=["filter", "box", "refresh"])
@pytest.mark.parametrize(
    "before",
    [[opens(HERE)], [opens("")], [opens(""), asks_for(HERE, **BOX)]],
    ids=["a known page", "an unknown page", "a page that asked"],
)
def test_a_request_of_the_page_that_was_left_is_dropped(late, before) -> None:
    kept = [*before, opens(THERE)]
    later = [asks_for(THERE, **late), asks_for(THERE, **BOX)]
    assert passed_on(*kept, asks_for(HERE, **late), *later) == [*kept, *later]


def test_a_page_that_is_opened_again_is_asked_again() -> None:
    frames = [opens(HERE), opens(THERE), opens(HERE), asks_for(HERE, **FILTER)]
    assert passed_on(*frames) == frames


@pytest.mark.parametrize("first", [opens("gone"), asks_for("gone", **BOX)], ids=["empty", "box"])
def test_a_page_that_the_server_opened_instead_of_another_one_is_asked(first) -> None:
    """A tab that is connected again may ask for a page that is gone: it gets the default one."""
    frames = [first, asks_for(HERE, **BOX), asks_for(HERE, **FILTER)]
    assert passed_on(*frames) == frames


@pytest.mark.parametrize("frame", [b"", b"\xff\xff", STOP], ids=["empty", "not a message", "stop"])
def test_anything_else_is_streamlit_s_to_answer(frame) -> None:
    frames = [opens(HERE), opens(THERE), frame]
    assert passed_on(*frames) == frames
