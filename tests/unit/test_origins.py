"""Which pages are the admin UI's own."""

from __future__ import annotations

import pytest

from core.errors import UsageError
from core.origins import Addresses, Origin, parse_origin, parse_url


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://localhost:8501", Origin("http", "localhost", 8501)),
        ("http://localhost", Origin("http", "localhost", 80)),
        ("http://localhost:80", Origin("http", "localhost", 80)),
        ("https://ops.example", Origin("https", "ops.example", 443)),
        ("http://[::1]:8501", Origin("http", "[::1]", 8501)),
    ],
)
def test_an_origin_is_a_scheme_a_host_and_a_port(text, origin) -> None:
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    ["", "null", "localhost", "//localhost", "ftp://localhost", "http://", "http://a b",
     "http://localhost:", "http://localhost:80/", "http://localhost:x", "http://me@localhost",
     "http://localhost:70000", "http://localhost:٨٠", "http://LOCALHOST", "http://a,http://b",
     "http://localhost\n", "http://a?b", "http://a#b", "http://*.example"],
)  # fmt: skip
def test_text_that_no_browser_writes_is_not_an_origin(text) -> None:
    assert parse_origin(text) is None


def test_an_origin_is_written_as_a_browser_writes_it() -> None:
    for text in ("http://localhost:8501", "https://ops.example", "https://ops.example:8443"):
        assert str(parse_origin(text)) == text


def test_ipv6_is_the_servers_own_only_where_it_listens_there() -> None:
    page = "http://[::1]:8501"
    assert not Addresses(8501).is_own_origin(page)
    assert Addresses(8501, "::1").is_own_origin(page)
    assert Addresses(8501, "::").is_own_host("[::1]:8501")


def test_a_host_takes_the_port_of_its_own_address() -> None:
    addresses = Addresses(8501, url=parse_url("https://ops.example", "--url"))
    for host in ("localhost:8501", "LOCALHOST:8501", "ops.example", "ops.example:443"):
        assert addresses.is_own_host(host)
    for host in ("localhost", "localhost:8502", "ops.example:8501", "ops.example:80", ""):
        assert not addresses.is_own_host(host)


def test_a_url_is_an_address_over_https_without_a_path() -> None:
    assert str(parse_url("https://Ops.Example/", "--url")) == "https://ops.example"
    for url in ("http://ops.example", "https://ops.example/x", "https://a@b", "https://", "x"):
        with pytest.raises(UsageError, match="--url needs an address like https://"):
            parse_url(url, "--url")
