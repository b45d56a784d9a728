"""The server around ``app.py``: which requests reach the pages, and which replies are changed."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import streamlit as st
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from admin_app import downloads, logins, page_head, scripts
from admin_app.downloads import Download, DownloadStoppedError
from admin_app.logins import Login
from core.errors import CoreError
from core.origins import Addresses

_log = logging.getLogger(__name__)

PAGES = Path(__file__).with_name("app.py")
WEBSOCKET = "/_stcore/stream"
LOG_OUT = "/auth/logout"
_USER_COOKIE = "_streamlit_user"
_CORE = {"/_stcore/health", "/_stcore/host-config"}
_GONE = (
    "This file was already saved, or prepared over a minute ago."
    " Return to its page and prepare it again."
)
_UNUSED = {"_stcore", "component", "app"}
"""First parts of Streamlit's paths that the admin UI does not use: uploads, custom components, own
static files, metrics, an interface for programs."""


class OnlyOwnRequests:
    """Accepts only the requests of the admin UI's own pages.

    Streamlit itself opens its websocket for a page of any port of this machine, and for a program
    that names no page. It also accepts uploads from any client that has opened a websocket.

    A request is refused before its body is read. If a person opens an address, a link or a
    bookmark, the request has no ``Origin``. Such requests only read.
    """

    def __init__(self, app: ASGIApp, addresses: Addresses) -> None:
        self.app = app
        self.addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (status := self._refusal(scope)) is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            # The connection is closed, so that the body of the request is not read.
            reply = PlainTextResponse("Refused\n", status, {"connection": "close"})
            await reply(scope, receive, send)

    def _refusal(self, scope: Scope) -> int | None:
        """The status to refuse a request with; None to accept it."""
        headers = Headers(scope=scope)
        if not self._is_own_host(headers):
            return 400
        if scope["type"] == "websocket":
            is_own = scope["path"] == WEBSOCKET and self._is_own_page(headers)
            return None if is_own else 403
        if scope["method"] not in ("GET", "HEAD"):
            return 405 if self._is_own_page(headers) else 403
        return _refusal_of_path(scope, headers)

    def _is_own_host(self, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        return len(hosts) == 1 and self.addresses.is_own_host(hosts[0])

    def _is_own_page(self, headers: Headers) -> bool:
        origins = headers.getlist("origin")
        return len(origins) == 1 and self.addresses.is_own_origin(origins[0])


def _refusal_of_path(scope: Scope, headers: Headers) -> int | None:
    """The status to refuse a reading request with, by its path; None to accept it."""
    path = str(scope["path"])
    first = path.lstrip("/").split("/", 1)[0]
    if first in _UNUSED and path not in _CORE:
        return 404
    if first == "auth" and headers.get("sec-fetch-site") == "cross-site":
        return 403  # a page elsewhere, which would log a person in or out
    if first in ("media", "download") and logins.login_is_required.is_set():
        login = login_of(HTTPConnection(scope))
        return None if login is not None and login.is_valid else 403
    return None


def login_of(request: HTTPConnection) -> Login | None:
    """The login in a request's cookie, if this server has signed it."""

    def signed(name: str) -> bytes | None:
        if (value := request.cookies.get(name)) is None:
            return None
        return decode_signed_value(get_cookie_secret(), name, value.encode("latin-1"))

    try:
        cookie = get_cookie_with_chunks(signed, _USER_COOKIE)
        return logins.login_from(json.loads(cookie)) if cookie else None
    except (ValueError, TypeError, AttributeError):  # signed, but not a login
        return None


class LogOut:
    """Ends the login in all its tabs, and makes the log-out address valid for Cognito too.

    Cognito names the return address ``logout_uri`` and answers OpenID Connect's own
    ``post_logout_redirect_uri`` with an error. Other providers ignore unknown parameters.
    https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "location" in headers:
                    headers["location"] = for_cognito(headers["location"])
            await send(message)

        if scope["type"] != "http" or scope["path"] != LOG_OUT:
            await self.app(scope, receive, send)
            return
        if (login := login_of(HTTPConnection(scope))) is not None:
            logins.ENDED.add(login)
        await self.app(scope, receive, send_on)


def for_cognito(url: str) -> str:
    """``url`` with the return address under Cognito's name too."""
    back = parse_qs(urlsplit(url).query).get("post_logout_redirect_uri")
    return f"{url}&{urlencode({'logout_uri': back[0]})}" if back else url


class DropLeftPagesRequests:
    """Drops what a page asks for after its browser has asked for another page.

    A box asks when its user has paused for a moment, and the user may have clicked on a link since.
    Streamlit would run the request after the other page, and clear that or go back.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The page is "" at first, where the browser knows only its address.
        page: str | None = None
        left: set[str] = set()

        async def receive_on() -> Message:
            nonlocal page
            while True:
                message = await receive()
                request = _run_request(message)
                if request is None:
                    return message
                asked = request.page_script_hash
                if not (request.fragment_id or request.widget_states.widgets):  # a link, or Back
                    if page is not None:
                        left.add(page)
                    left.discard(asked)
                elif asked in left or ("" in left and asked != page):
                    continue
                page = asked
                return message

        await self.app(scope, receive_on if scope["type"] == "websocket" else receive, send)


def _run_request(message: Message) -> ClientState | None:
    """What a page asks to be run; None for another message."""
    try:
        request = BackMsg.FromString(message.get("bytes") or b"")
    except DecodeError:
        return None
    return request.rerun_script if request.HasField("rerun_script") else None


class ExtendPage:
    """Adds to Streamlit's page what ours need: see :mod:`admin_app.page_head`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _asks_for_page(scope):
            await self.app(scope, receive, send)
            return
        headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        scope = {**scope, "headers": headers}  # compressed text could not be extended
        start: Message = {}
        parts: list[bytes] = []

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                start.update(message)
            elif start and message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    await self._send_page(start, b"".join(parts), send)
            else:
                await send(message)

        await self.app(scope, receive, send_on)

    async def _send_page(self, start: Message, page: bytes, send: Send) -> None:
        body = page_head.extended(page)
        MutableHeaders(scope=start)["content-length"] = str(len(body))
        await send(start)
        await send({"type": "http.response.body", "body": body})


def _asks_for_page(scope: Scope) -> bool:
    is_get = scope["type"] == "http" and scope["method"] == "GET"
    return is_get and "text/html" in Headers(scope=scope).get("accept", "")


def _is_page(start: Message) -> bool:
    is_html = Headers(scope=start).get("content-type", "").startswith("text/html")
    return is_html and start["status"] == 200


class SendDownloads:
    """Sends the files that the pages have begun, each once."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(downloads.PATH):
            await self.app(scope, receive, send)
            return
        download = downloads.WAITING.take(scope["path"]) if scope["method"] == "GET" else None
        if download is None:
            await PlainTextResponse(f"{_GONE}\n", 404)(scope, receive, send)
            return
        reply = StreamingResponse(
            _sent(download),
            media_type=download.media_type,
            headers={
                "content-disposition": f'attachment; filename="{download.name}"',
                "cache-control": "no-store",
                "content-security-policy": "sandbox",
                "x-content-type-options": "nosniff",
            },
        )
        try:
            await reply(scope, receive, send)
        except (CoreError, DownloadStoppedError) as error:
            # The reply has begun: without its end, the browser reports an incomplete file.
            _log.warning("the download %s ended early: %s", download.name, error or "stopped")


async def _sent(download: Download) -> AsyncIterator[bytes]:
    chunks = download.chunks()
    try:
        async for chunk in iterate_in_threadpool(chunks):
            yield chunk
    finally:
        chunks.close()
        download.close()


def make_app(addresses: Addresses) -> st.App:
    """The admin UI's pages, and what is around them."""
    wrappers = (LogOut, SendDownloads, DropLeftPagesRequests, ExtendPage)
    others = [Middleware(wrapper) for wrapper in wrappers]
    return st.App(
        PAGES,
        routes=[scripts.ROUTE],
        middleware=[Middleware(OnlyOwnRequests, addresses=addresses), *others],
    )
