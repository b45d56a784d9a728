"""Which requests the running admin UI accepts: raw requests, like those of other pages."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import psutil
import pytest
from ports import free_port

from .conftest import is_up, serving

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
    """As a page of evil.example would open it, after its name was rebound to 127.0.0.1."""
    assert upgraded(app_url, host, f"http://{host}") in REFUSED


def test_a_websocket_of_a_foreign_page_is_refused(app_url) -> None:
    assert upgraded(app_url, urlsplit(app_url).netloc, f"http://{EVIL}") in REFUSED


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_websocket_of_our_own_page_is_accepted(app_url, name) -> None:
    host = f"{name}:{urlsplit(app_url).port}"
    assert upgraded(app_url, host, f"http://{host}") == 101


@pytest.mark.parametrize(
    "path",
    ["/", "/new_conversation", "/nowhere", "/media/x", "/oauth2callback", "/auth/login",
     "/auth/logout", "/_stcore/health", "/_stcore/host-config", "/_stcore/upload_file/a/b"],
)  # fmt: skip
def test_a_page_of_a_rebound_name_gets_nothing(app_url, path) -> None:
    headers = {"Host": EVIL, "Origin": f"http://{EVIL}"}
    assert status(app_url, path, **headers) in REFUSED
    assert status(app_url, path, "POST", **headers) in REFUSED


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/host-config"])
def test_a_foreign_page_may_not_read_the_reply(app_url, path) -> None:
    answer = reply(app_url, path, Origin=f"http://{EVIL}")
    assert answer.status == 200
    assert answer.headers.get("Access-Control-Allow-Origin") is None


FOREIGN_ORIGINS = [
    f"http://{EVIL}",
    "http://localhost:{other}",
    "http://127.0.0.1:{other}",
    "http://localhost",
    "http://0.0.0.0:80",
    "http://0.0.0.0:{port}",
    "http://127.0.0.2:{port}",
    "http://[::1]:{port}",  # not listened on
    "https://localhost:{port}",
    "http://localhost:{port}/",
    "http://me@localhost:{port}",
    "http://localhost.evil.example:{port}",
    "localhost:{port}",
    "file://",
    "null",
    "",
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_websocket_of_another_origin_is_refused(app_url, origin) -> None:
    """Also of another port of this machine, where another program listens."""
    where = urlsplit(app_url)
    origin = origin.format(port=where.port, other=where.port + 1)
    assert upgraded(app_url, where.netloc, origin) == 403


def test_a_websocket_of_no_page_is_refused(app_url) -> None:
    assert status(app_url, "/_stcore/stream", **UPGRADE) == 403


def test_a_websocket_of_two_origins_is_refused(app_url) -> None:
    where = urlsplit(app_url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=10)
    connection.putrequest("GET", "/_stcore/stream")
    for name, value in UPGRADE.items():
        connection.putheader(name, value)
    connection.putheader("Origin", f"http://{EVIL}")
    connection.putheader("Origin", app_url)
    connection.endheaders()
    assert connection.getresponse().status in REFUSED
    connection.close()


@pytest.mark.parametrize("path", ["/", "/elsewhere", "/_stcore/health", "/_stcore/upload_file/a/b"])
def test_there_is_one_websocket(app_url, path) -> None:
    assert status(app_url, path, Origin=app_url, **UPGRADE) != 101


@pytest.mark.parametrize("path", ["/", "/new_conversation", "/_stcore/health"])
def test_a_person_who_opens_an_address_gets_the_page(app_url, path) -> None:
    """Then a browser sends no Origin; neither does a program that checks the server's health."""
    assert status(app_url, path) == 200
    assert status(app_url, path, "HEAD") == 200


@pytest.mark.parametrize(
    "path",
    ["/_stcore/upload_file/a/b", "/_stcore/%75pload_file/a/b", "/_stcore/metrics",
     "/_stcore/script-health-check", "/_stcore/bidi-components/a/b.js", "/component/a/b.js",
     "/app/static/a.js", "/_stcore/agent/interact", "/_stcore/agent/openapi.json",
     "/_stcore/agent/mcp", "/_stcore/nowhere", "/_stcore"],
)  # fmt: skip
def test_paths_that_the_app_does_not_use_are_refused(app_url, path) -> None:
    assert status(app_url, path, Origin=app_url) == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/_stcore/upload_file/a/b", "/_stcore/agent/mcp"])
def test_nothing_is_changed_by_a_request(app_url, path, method) -> None:
    assert status(app_url, path, method, Origin=app_url) == 405
    assert status(app_url, path, method) == 403
    assert status(app_url, path, method, Origin=f"http://{EVIL}") == 403


MB = 2**20


def upload(url: str, size_mb: int, *headers: str) -> tuple[bytes, int]:
    """The first line of the reply to a PUT of this size, and how many bytes were sent."""
    where = urlsplit(url)
    sent = 0
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        lines = [
            "PUT /_stcore/upload_file/session/file HTTP/1.1",
            f"Host: {where.netloc}",
            "Content-Type: multipart/form-data; boundary=x",
            *headers,
        ]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        with suppress(OSError):
            for _ in range(size_mb):
                connection.sendall(bytes(MB))
                sent += MB
        with suppress(OSError):
            return connection.recv(100).split(b"\r\n")[0], sent
    return b"", sent


def test_an_upload_is_refused_before_its_body_is_read(app_url) -> None:
    port = urlsplit(app_url).port
    (server,) = {c.pid for c in psutil.net_connections("tcp")
                 if c.status == psutil.CONN_LISTEN and c.laddr.port == port}  # fmt: skip
    before = psutil.Process(server).memory_info().rss
    for header in (f"Content-Length: {100 * MB}", f"Content-Length: {100 * MB}",
                   "Transfer-Encoding: chunked", f"Content-Length: {100 * MB}"):  # fmt: skip
        line, sent = upload(app_url, 100, header, f"Origin: {app_url}")
        assert b"200" not in line
        assert b"204" not in line
        assert sent < 20 * MB  # the size of the buffers in between
    assert psutil.Process(server).memory_info().rss - before < 20 * MB
    assert status(app_url, "/_stcore/health") == 200


def test_variables_and_files_of_streamlit_open_no_access(app_env, tmp_path) -> None:
    file = tmp_path / ".streamlit" / "config.toml"
    file.parent.mkdir()
    file.write_text(
        '[server]\nenableCORS = false\nallowedHosts = ["*"]\nbaseUrlPath = "elsewhere"\n'
        f'address = "0.0.0.0"\ncorsAllowedOrigins = ["http://{EVIL}"]\nenableAgentApi = true\n'
    )
    env = app_env | {
        "HOME": str(tmp_path),
        "STREAMLIT_SERVER_ENABLE_CORS": "false",
        "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false",
        "STREAMLIT_SERVER_ALLOWED_HOSTS": "*",
        "STREAMLIT_SERVER_BASE_URL_PATH": "elsewhere",
        "STREAMLIT_SERVER_ADDRESS": "0.0.0.0",
        "STREAMLIT_SERVER_PORT": "1",
        "STREAMLIT_GLOBAL_DEVELOPMENT_MODE": "true",
    }
    with serving(env) as url:
        where = urlsplit(url)
        assert upgraded(url, where.netloc, f"http://{EVIL}") == 403
        assert upgraded(url, EVIL, f"http://{EVIL}") in REFUSED
        assert upgraded(url, where.netloc, url) == 101
        assert status(url, "/") == 200
        assert status(url, "/_stcore/agent/openapi.json") == 404
        (address,) = {c.laddr.ip for c in psutil.net_connections("tcp")
                      if c.status == psutil.CONN_LISTEN and c.laddr.port == where.port}  # fmt: skip
        assert address == "127.0.0.1"


SECRETS = """
[auth]
redirect_uri = "https://ops.example/oauth2callback"
cookie_secret = "a secret as long as one has to be, and longer"
client_id = "an id"
client_secret = "another secret"
server_metadata_url = "https://id.example/.well-known/openid-configuration"
"""


def test_with_url_only_that_address_is_served_too(app_env, tmp_path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(SECRETS)
    env = app_env | {"STREAMLIT_SECRETS_FILES": str(secrets)}
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
    options = ("--address=127.0.0.2", "--url=https://ops.example")
    url = f"http://127.0.0.2:{port}"

    def answers(_: str) -> bool:
        with suppress(OSError):
            return status(url, "/_stcore/health", Host="ops.example") == 200
        return False

    with serving(env, *options, port=port, answers=answers) as address:
        assert address == "https://ops.example"
        assert status(url, "/", Host="ops.example") == 200
        assert upgraded(url, "ops.example", "https://ops.example") == 101
        assert upgraded(url, f"localhost:{port}", f"http://localhost:{port}") == 101
        for origin in ("http://ops.example", "https://ops.example:8443", url, f"https://{EVIL}"):
            assert upgraded(url, "ops.example", origin) == 403
        assert status(url, "/") == 400
        assert status(url, "/", Host=EVIL) == 400


@pytest.fixture
def forwarded_url(app_env) -> Iterator[str]:
    env = app_env | {"GITPOD_WORKSPACE_URL": "https://me-app-1.gitpod.example"}
    port = free_port()
    local = f"http://127.0.0.1:{port}"
    with serving(env, port=port, answers=lambda _: is_up(local)) as url:
        assert url == f"https://{port}-me-app-1.gitpod.example"
        yield local


def test_in_a_workspace_only_its_forwarded_address_is_served_too(forwarded_url) -> None:
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
