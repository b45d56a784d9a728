"""The server around ``app.py``: what Streamlit leaves open in front of the pages.

``python -m admin_app`` runs it. Settings are those of ``.streamlit/config.toml``.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class CognitoLogout:
    """Makes the way out that Streamlit sends people one that Cognito takes too.

    Cognito calls the address to come back to ``logout_uri`` and answers OpenID Connect's own
    ``post_logout_redirect_uri`` with an error. Other providers do not look at what they don't know.
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

        is_logout = scope["type"] == "http" and scope["path"].endswith("/auth/logout")
        await self.app(scope, receive, send_on if is_logout else send)


def for_cognito(url: str) -> str:
    """``url`` with the address to come back to under Cognito's name as well."""
    back = parse_qs(urlsplit(url).query).get("post_logout_redirect_uri")
    return f"{url}&{urlencode({'logout_uri': back[0]})}" if back else url


# Streamlit looks at the Host of a websocket alone. A page whose name was made to lead to 127.0.0.1
# (DNS rebinding) would be handed everything else: the login's routes, uploads, downloads.
hosts = Middleware(
    TrustedHostMiddleware, allowed_hosts=st.get_option("server.allowedHosts"), www_redirect=False
)
app = st.App("app.py", middleware=[hosts, Middleware(CognitoLogout)])
