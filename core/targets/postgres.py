"""Where a Postgres URL leads, and how to say so without its password.

libpq does the parsing: what it understands (percent-encoding, IPv6, sockets, several hosts, any
option) is understood here. https://www.postgresql.org/docs/current/libpq-connect.html
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import NoReturn

from psycopg import Error, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.errors import SettingsError

MAX_NAME_BYTES = 63
"""Postgres cuts longer names off, so that two of them could mean one database."""

_EXAMPLE = "It looks like postgresql://user:password@host:5432/cruddur"
_ENCODE = "Characters like @ / : % in a password are percent-encoded: %40 %2F %3A %25."


@dataclass(frozen=True, slots=True, repr=False)
class PostgresAddress:
    """A database and the way to it. ``conninfo`` holds the password: never show it.

    ``host`` and ``port`` are comma-separated lists where the URL names several, as libpq writes
    them; ``host`` is a folder for a socket, and empty where libpq's default socket is meant.
    ``variable`` is the setting that the address was read from.
    """

    conninfo: str
    host: str
    port: str
    dbname: str
    user: str
    variable: str = ""

    def __repr__(self) -> str:
        return f"PostgresAddress({self.describe()})"

    def describe(self) -> str:
        """``cruddur at 127.0.0.1:5432 as postgres``."""
        return f"{self.dbname} at {self.place} as {self.user}"

    @property
    def place(self) -> str:
        """The server or servers: ``127.0.0.1:5432``."""
        return ",".join(_place(host, port) for host, port in self._servers())

    @property
    def is_local(self) -> bool:
        """Whether every server named is on this machine."""
        return all(_is_loopback(host) for host, _ in self._servers())

    @property
    def names_several_hosts(self) -> bool:
        return "," in self.host

    def narrowed(self, conninfo: str, host: str, port: str) -> PostgresAddress:
        """The same database on the one server that ``conninfo`` leads to."""
        return replace(self, conninfo=conninfo, host=host, port=port)

    def with_dbname(self, name: str) -> PostgresAddress:
        """The same server and user, another database."""
        return replace(self, conninfo=make_conninfo(self.conninfo, dbname=name), dbname=name)

    def _servers(self) -> list[tuple[str, str]]:
        hosts, ports = self.host.split(","), self.port.split(",")
        if len(ports) == 1:
            ports *= len(hosts)
        return list(zip(hosts, ports, strict=True))


def parse_url(url: str, variable: str) -> PostgresAddress:
    """The address that ``url``, the value of the setting ``variable``, names.

    What the URL leaves out (the user, a host) is what libpq takes in its place.

    Raises:
        SettingsError: it is no Postgres URL or names no database. Never shows the URL.
    """
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(url).items()}
        found = _defaults() | given
    except (Error, UnicodeError):
        # The parser quotes what it could not read, which may be the password: not as a cause.
        raise SettingsError(f"{variable} is not a Postgres URL", _EXAMPLE) from None
    host = found.get("hostaddr") or found.get("host") or ""
    if not host and "service" in given:
        host = f"service {given['service']}"
    port = ",".join(number or "5432" for number in found.get("port", "").split(","))
    _refuse_misread_password(url, host, port, variable)
    dbname = given.get("dbname", "")
    if not dbname:
        raise SettingsError(f"{variable} names no database", _EXAMPLE)
    if len(dbname.encode()) > MAX_NAME_BYTES:
        raise SettingsError(
            f"{variable} names a database of more than {MAX_NAME_BYTES} bytes", "Shorten its name."
        )
    return PostgresAddress(make_conninfo(url), host, port, dbname, found["user"], variable)


def _defaults() -> dict[str, str]:
    """What libpq puts in place of what a URL leaves out: its environment variables, the user."""
    return {
        option.keyword.decode(): option.val.decode()
        for option in pq.Conninfo.get_defaults()
        if option.keyword in (b"host", b"hostaddr", b"port", b"user") and option.val
    }


def _refuse_misread_password(url: str, host: str, port: str, variable: str) -> None:
    """A password with a bare ``@`` or ``/`` reads as part of the host, the port or the name."""
    path = url.partition("://")[2].partition("/")[2].partition("?")[0]
    numbers = port.split(",")
    if "@" in path or ("@" in host and not host.startswith("@")):
        _refuse(variable)
    if not all(number.isascii() and number.isdigit() for number in numbers):
        _refuse(variable)
    if not all(0 < int(number) < 65536 for number in numbers):
        raise SettingsError(f"{variable} names a port that does not exist", _EXAMPLE)
    if len(numbers) not in (1, len(host.split(","))):
        raise SettingsError(f"{variable} does not name one port for each host", _EXAMPLE)


def _refuse(variable: str) -> NoReturn:
    raise SettingsError(f"{variable} cannot be told apart into password, host and name", _ENCODE)


def _place(host: str, port: str) -> str:
    if not host:
        return f"the local socket, port {port}"
    if host.startswith(("/", "@")):
        return f"socket {host}, port {port}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
