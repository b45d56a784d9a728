"""The admin UI's addresses and its own origins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from core.errors import UsageError

_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = {"127.0.0.1", "::1"}


class Origin(NamedTuple):
    """The scheme, host and port of a page. Two pages with the same three trust each other."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        is_default = self.port == _DEFAULT_PORTS[self.scheme]
        return f"{self.scheme}://{self.host}{'' if is_default else f':{self.port}'}"


def parse_origin(text: str) -> Origin | None:
    """The origin that a browser writes as ``text``; None for anything else.

    A browser writes it in lower case, without a path, and without a scheme's usual port.
    """
    if (match := _ORIGIN.fullmatch(text)) is None:
        return None
    scheme, host, port = match.groups()
    number = int(port or _DEFAULT_PORTS[scheme])
    return Origin(scheme, host, number) if number <= 65_535 else None


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of the admin UI's server and of the pages that may send it requests.

    ``url`` is the public address of a server that other machines reach. ``forwarded`` is the
    address at which a workspace forwards a port of this machine to its owner.
    """

    port: int
    address: str = "127.0.0.1"
    url: Origin | None = None
    forwarded: Origin | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        return self.address in _LOOPBACK

    @property
    def origins(self) -> frozenset[Origin]:
        """The origins of the admin UI's own pages, and no others."""
        hosts = ["127.0.0.1", "localhost"]
        if ":" in self.address:
            hosts.append("[::1]")
        local_origins = {Origin("http", host, self.port) for host in hosts}
        return frozenset(
            local_origins | {origin for origin in (self.url, self.forwarded) if origin}
        )

    def is_own_origin(self, header: str) -> bool:
        """Whether ``header``, of a request's ``Origin``, names a page of the admin UI."""
        return parse_origin(header) in self.origins

    def is_own_host(self, header: str) -> bool:
        """Whether ``header``, of a request's ``Host``, names the admin UI."""
        host = header.lower()
        if self.forwarded is not None and host == "localhost":
            return True  # how a workspace's proxy may name this machine, whatever the port
        return any(parse_origin(f"{origin.scheme}://{host}") == origin for origin in self.origins)


def parse_url(url: str, option: str) -> Origin:
    """The origin of ``url``, an ``https`` address without a path.

    Raises:
        UsageError: it is anything else.
    """
    origin = parse_origin(url.lower().removesuffix("/"))
    if origin is None or origin.scheme != "https":
        raise UsageError(f"{option} needs an address like https://ops.example.com, not {url!r}")
    return origin
