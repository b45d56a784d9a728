"""Who may ask the running admin UI: raw requests, as a page elsewhere would have them sent."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from .conftest import serving

EVIL = "evil.example"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
REFUSED = (400, 403)


def status(url: str, path: str, method: str = "GET", **headers: str) -> int:
    return reply(url, path, method, **headers).status


def reply(url: str, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse()
    finally:
        connection.close()


def upgraded(url: str, host: str, origin: str) -> int:
    return status(url, "/_stcore/stream", Host=host, Origin=origin, **UPGRADE)


@pytest.mark.parametrize("host", [EVIL, f"{EVIL}:8501", "127.0.0.1.evil.example", "", "0.0.0.0"])
def test_a_websocket_of_a_rebound_name_is_refused(app_url, host) -> None:
    """As a page of evil.example would open it, whose name was made to lead to 127.0.0.1."""
    assert upgraded(app_url, host, f"http://{host}") in REFUSED


def test_a_websocket_of_a_foreign_page_is_refused(app_url) -> None:
    assert upgraded(app_url, urlsplit(app_url).netloc, f"http://{EVIL}") in REFUSED


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_websocket_of_the_own_page_is_let_in(app_url, name) -> None:
    host = f"{name}:{urlsplit(app_url).port}"
    assert upgraded(app_url, host, f"http://{host}") == 101


@pytest.mark.parametrize(
    "path",
    ["/", "/new_conversation", "/nowhere", "/media/x", "/oauth2callback", "/auth/login",
     "/auth/logout", "/_stcore/health", "/_stcore/host-config", "/_stcore/upload_file/a/b"],
)  # fmt: skip
def test_a_page_of_a_rebound_name_is_handed_nothing(app_url, path) -> None:
    headers = {"Host": EVIL, "Origin": f"http://{EVIL}"}
    assert status(app_url, path, **headers) in REFUSED
    assert status(app_url, path, "POST", **headers) in REFUSED


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/host-config"])
def test_a_foreign_page_may_not_read_what_it_asks_for(app_url, path) -> None:
    answer = reply(app_url, path, Origin=f"http://{EVIL}")
    assert answer.status == 200
    assert answer.headers.get("Access-Control-Allow-Origin") is None


def test_an_upload_takes_the_token_of_the_own_page(app_url) -> None:
    path = "/_stcore/upload_file/session/file"
    assert status(app_url, path, "PUT") == 403
    assert status(app_url, path, "DELETE") == 403


@pytest.fixture
def forwarded_url(app_env) -> Iterator[str]:
    with serving(app_env | {"GITPOD_WORKSPACE_URL": "https://me-app-1.gitpod.example"}) as url:
        yield url


def test_in_a_workspace_only_its_forwarded_address_is_let_in_too(forwarded_url) -> None:
    port = urlsplit(forwarded_url).port
    own, other = f"{port}-me-app-1.gitpod.example", f"{port}-you-app-2.gitpod.example"
    local = urlsplit(forwarded_url).netloc
    assert upgraded(forwarded_url, own, f"https://{own}") == 101
    assert upgraded(forwarded_url, local, f"http://{local}") == 101
    assert status(forwarded_url, "/", Host=own) == 200
    assert upgraded(forwarded_url, other, f"https://{other}") in REFUSED
    assert upgraded(forwarded_url, own, f"https://{other}") in REFUSED
    assert upgraded(forwarded_url, EVIL, f"http://{EVIL}") in REFUSED
    assert status(forwarded_url, "/", Host=other) in REFUSED
