"""Reads a Postgres URL, and describes it without its password.

libpq parses it, so everything libpq supports (percent-encoding, IPv6, sockets, several hosts, any
option) works here. https://www.postgresql.org/docs/current/libpq-connect.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NoReturn

from psycopg import Error, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.errors import SettingsError
from core.targets.url_faults import explain_postgres_url

MAX_NAME_BYTES = 63
"""Postgres truncates longer names, so that two of them could mean the same database."""

_EXAMPLE = "Write it like postgresql://user:password@host:5432/cruddur"
_ENCODE = "Percent-encode characters like @ / : % in a password: %40 %2F %3A %25."


@dataclass(frozen=True, slots=True, repr=False)
class PostgresAddress:
    """A database and how to connect to it. ``conninfo`` contains the password: never show it.

    ``host`` and ``port`` are comma-separated lists where the URL names several, as libpq writes
    them; ``host`` is a folder for a socket, and empty where libpq's default socket is meant.
    ``variable`` is the setting that the address was read from. ``password`` gives the password
    of the next connection where ``conninfo`` has none; with True, one that it has not given yet.
    ``is_production``: it is of a target that counts as production. ``ignores_variables``: libpq's
    variables do not change the connection.
    """

    conninfo: str
    host: str
    port: str
    dbname: str
    user: str
    variable: str = ""
    password: Callable[[bool], str] | None = field(default=None, compare=False)
    is_production: bool = field(default=False, compare=False)
    ignores_variables: bool = field(default=False, compare=False)

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
    """The address in ``url``, which is the value of the setting ``variable``.

    libpq's defaults replace what the URL leaves out, like the user or a host.

    Raises:
        SettingsError: it is not a Postgres URL or has no database. Never shows the URL.
    """
    try:
        from_url = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except (Error, UnicodeError):
        # The parser's error may quote the password: do not keep it as the cause.
        from_url = None
    if from_url is None or url[-1:] in ("'", '"'):
        keywords = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
        if explanation := explain_postgres_url(url, keywords):
            raise SettingsError(f"{variable} {explanation[0]}", explanation[1])
    if from_url is None:
        raise SettingsError(f"{variable} is not a Postgres URL", _EXAMPLE)
    parameters = _defaults() | from_url
    host = parameters.get("hostaddr") or parameters.get("host") or ""
    if not host and "service" in from_url:
        host = f"service {from_url['service']}"
    port = ",".join(number or "5432" for number in parameters.get("port", "").split(","))
    _refuse_misread_password(url, host, port, variable)
    dbname = from_url.get("dbname", "")
    if not dbname:
        raise SettingsError(f"{variable} names no database", _EXAMPLE)
    if len(dbname.encode()) > MAX_NAME_BYTES:
        raise SettingsError(
            f"{variable} names a database of more than {MAX_NAME_BYTES} bytes", "Shorten its name."
        )
    user = parameters.get("user", "")
    if not user and "service" not in from_url:  # a container's user may have no name either
        raise SettingsError(f"{variable} names no user", _EXAMPLE)
    return PostgresAddress(make_conninfo(url), host, port, dbname, user, variable)


def parse_embedded_url(url: str) -> PostgresAddress:
    """The address of the embedded Postgres, beside one of a server that libpq's variables are for.

    They do not change its connection, and stay set for the other one.
    """
    address = parse_url(f"{url}?hostaddr=127.0.0.1", "the engines' URL")
    return replace(address, ignores_variables=True)


def embedded_options() -> dict[str, str]:
    """What the embedded Postgres needs of each option that a variable of libpq could set.

    Libpq still reads PGSERVICE, which adds other options only, and PGTZ.
    """
    defaults = {
        option.keyword.decode(): option.compiled.decode()
        for option in pq.Conninfo.get_defaults()
        if option.envvar and option.compiled is not None
    }
    needed = {"sslmode": "disable", "sslcertmode": "disable", "require_auth": "scram-sha-256"}
    return defaults | needed


def _defaults() -> dict[str, str]:
    """libpq's defaults for what a URL leaves out: its environment variables, the user."""
    return {
        option.keyword.decode(): option.val.decode()
        for option in pq.Conninfo.get_defaults()
        if option.keyword in (b"host", b"hostaddr", b"port", b"user") and option.val
    }


def _refuse_misread_password(url: str, host: str, port: str, variable: str) -> None:
    """Refuse a URL whose password has a bare ``@`` or ``/``, which libpq reads as another part."""
    path = url.partition("://")[2].partition("/")[2].partition("?")[0]
    numbers = port.split(",")
    if "@" in path or ("@" in host and not host.startswith("@")):
        _refuse(variable)
    if not all(number.isascii() and number.isdigit() for number in numbers):
        _refuse(variable)
    if not all(0 < int(number) < 65536 for number in numbers):
        raise SettingsError(f"{variable} has an invalid port", _EXAMPLE)
    if len(numbers) not in (1, len(host.split(","))):
        raise SettingsError(f"{variable} does not have one port for each host", _EXAMPLE)


def _refuse(variable: str) -> NoReturn:
    raise SettingsError(
        f"Could not read the password, host and database name in {variable}", _ENCODE
    )


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
