"""Why a connection to Postgres failed: the certificate, or the option at fault and its source.

The texts are libpq's and the server's: neither gives a code for a failed connection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from core.errors import PostgresError
from core.settings import libpq_variables
from core.targets.postgres import PostgresAddress


@dataclass(frozen=True, slots=True)
class _Reason:
    """A text of a failed connection: its meaning, the libpq option at fault, and what to do."""

    text: re.Pattern[str]
    problem: str
    option: str
    hint: str = ""


def _at_fault(text: str, problem: str, option: str, hint: str = "") -> _Reason:
    return _Reason(re.compile(text), problem, option, hint)


_OWN_NAME = (
    "Connect by a name that its certificate is for; through a tunnel, add hostaddr=127.0.0.1."
)
_REASONS = (
    _at_fault(
        r'server certificate for "(?P<name>[^"]*)".* does not match host name "(?P<host>[^"]*)"',
        "its certificate is for {name}, not for {host}",
        "sslmode",
        _OWN_NAME,
    ),
    _at_fault(
        r'root certificate file "(?P<file>[^"]*)" does not exist',
        "the file of certificates to verify it with, {file}, does not exist",
        "sslrootcert",
        "Name the CA bundle that its certificate was issued from in sslrootcert.",
    ),
    _at_fault(
        r'could not read root certificate file "(?P<file>[^"]*)"',
        "the file of certificates to verify it with, {file}, could not be read",
        "sslrootcert",
    ),
    _at_fault(
        r"certificate verify failed",
        "its certificate could not be verified",
        "sslrootcert",
        "Name the CA bundle that its certificate was issued from in sslrootcert.",
    ),
    _at_fault(
        r"(certificate|private key) file \"[^\"]*\"|requires a valid client certificate",
        "it asks for a client certificate, which is missing or cannot be read",
        "sslcert",
    ),
    _at_fault(
        r"server does not support SSL",
        "the server has no TLS, but TLS was asked for",
        "sslmode",
    ),
    _at_fault(
        r"no pg_hba\.conf entry.*(no encryption|SSL off)",
        "the server takes no unencrypted connection from this machine",
        "sslmode",
        "Ask for encryption: sslmode=require or stricter.",
    ),
    _at_fault(r"weak sslmode|sslnegotiation", "{text}", "sslnegotiation"),
    _at_fault(r"SSL error|tlsv1|sslv3|SSL connection", "TLS failed: {text}", "sslmode"),
    _at_fault(r"authentication method requirement|require_auth", "{text}", "require_auth"),
    _at_fault(r"GSSAPI|gssencmode", "{text}", "gssencmode"),
    _at_fault(r"channel binding", "{text}", "channel_binding"),
    _at_fault(r"session is (not )?read-only|hot standby mode", "{text}", "target_session_attrs"),
    _at_fault(
        r"unsupported startup parameter(: options| in options)"
        r"|unrecognized configuration parameter|invalid command-line argument"
        r"|invalid value for parameter|FATAL: +-\S+ requires a value"
        r"|parameter \"[^\"]*\" (requires|cannot)",
        "{text}",
        "options",
    ),
    _at_fault(r"protocol version", "{text}", "min_protocol_version"),
)

_NO_DATABASE_IN_POOLER = re.compile(r"FATAL: +no such database: ")
WITHOUT_POOLER = "Use the server's own host and port for it, not the pooler's."


def connection_fault(address: PostgresAddress, text: str) -> PostgresError | None:
    """The error for a failed connection, if an option or a certificate is at fault.

    ``text`` is libpq's, with a line for every server that was tried.
    """
    lines = [line.strip() for line in text.splitlines()]
    if any(map(_NO_DATABASE_IN_POOLER.search, lines)):
        return PostgresError(
            f"The connection pooler at {address.place} has no database {address.dbname!r}",
            WITHOUT_POOLER,
        )
    if any("pg_hba.conf" in line and "SSL encryption" in line for line in lines):
        return None  # refused with and without encryption: the user or the address is at fault
    for reason in _REASONS:
        for line in lines:
            if match := reason.text.search(line):
                words = line.rpartition(" failed: ")[2] or line
                named = {**match.groupdict(), "text": words.removeprefix("connection is bad: ")}
                return PostgresError(
                    f"Could not connect to Postgres at {address.place}:"
                    f" {reason.problem.format(**named)}",
                    " ".join(filter(None, [reason.hint, source_of(address, reason.option)])),
                )
    return None


def source_of(address: PostgresAddress, option: str) -> str:
    """An instruction that names the source of the value of ``option``."""
    from_url = conninfo_to_dict(address.conninfo)
    variable = address.variable or "the address"
    if option == "sslrootcert" and variable == "PROD_CONNECTION_URL":
        used = f" It was verified with {from_url[option]}." if option in from_url else ""
        return f"Or set PROD_CONNECTION_CA_BUNDLE to its path.{used}"
    if option in from_url:
        return f"Check {option}={from_url[option]} of {variable}."
    if variables := libpq_variables():
        names = {o.keyword.decode(): (o.envvar or b"").decode() for o in pq.Conninfo.get_defaults()}
        if (name := names.get(option)) in variables:
            return f"Check {option}, which {name} sets: unset {name}"
        return f"Check {option} in {variable}, and these variables: {', '.join(variables)}."
    return f"Check {option} in {variable}."


def place_variables(address: PostgresAddress) -> list[str]:
    """The variables that name the server where its URL does not."""
    from_url = conninfo_to_dict(address.conninfo)
    names = {"PGHOST": "host", "PGHOSTADDR": "hostaddr", "PGPORT": "port"}
    return [name for name in libpq_variables() if name in names and names[name] not in from_url]
