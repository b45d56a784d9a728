"""Looking up this machine's public address."""

from __future__ import annotations

import io
import urllib.error
from http.client import BadStatusLine

import pytest

from core.aws import public_ip
from core.aws.public_ip import SERVICES, public_ipv4
from core.errors import UnreachableError


class FakeOpener:
    """Opens what a test says, in turn, and remembers what it was asked for."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def open(self, url: str, timeout: float) -> io.BytesIO:
        assert 0 < timeout <= 10
        self.asked.append(url)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)


@pytest.fixture
def internet(monkeypatch):
    def answering(*answers: bytes | Exception) -> FakeOpener:
        opener = FakeOpener(*answers)
        monkeypatch.setattr(public_ip.urllib.request, "build_opener", lambda: opener)
        return opener

    return answering


def test_every_service_is_asked_over_https() -> None:
    assert len(SERVICES) == 2
    assert all(url.startswith("https://") for url in SERVICES)


def test_the_first_answer_is_taken(internet) -> None:
    opener = internet(b"8.8.4.4\n")
    assert public_ipv4() == "8.8.4.4"
    assert opener.asked == [SERVICES[0]]


@pytest.mark.parametrize(
    "failure",
    [
        urllib.error.URLError(OSError(111, "Connection refused")),
        TimeoutError("timed out"),
        BadStatusLine("gibberish"),
        ValueError("unknown url type"),
        b"",
        b"<html>Please log in to the hotel's network</html>",
        b"2001:4860:4860::8888",
        b"10.0.0.1",
        b"\xff",
    ],
)
def test_the_second_is_asked_when_the_first_knows_no_public_address(internet, failure) -> None:
    opener = internet(failure, b"8.8.4.4")
    assert public_ipv4() == "8.8.4.4"
    assert opener.asked == list(SERVICES)


def test_without_any_answer_the_error_names_the_option(internet) -> None:
    refused = urllib.error.URLError(OSError(111, "Connection refused"))
    error_page = urllib.error.HTTPError(SERVICES[1], 503, "Unavailable", None, io.BytesIO(b"no"))
    internet(refused, error_page)
    with pytest.raises(UnreachableError) as raised:
        public_ipv4()
    line = str(raised.value)
    assert "checkip.amazonaws.com: [Errno 111] Connection refused" in line
    assert "api.ipify.org: HTTP 503" in line
    assert line.endswith("--ip ADDRESS.")


def test_a_long_answer_does_not_become_a_long_error(internet) -> None:
    internet(b"x" * 1_000_000, b"x" * 1_000_000)
    with pytest.raises(UnreachableError) as raised:
        public_ipv4()
    assert len(str(raised.value)) < 400
