"""A connection that fails names the certificate, or the option at fault and who set it."""

from __future__ import annotations

import psycopg
import pytest

from core.errors import PostgresError
from core.postgres.translation import translated
from core.targets.postgres import parse_url

SERVER = 'connection failed: connection to server at "192.0.2.1", port 5432 failed: '
REQUIREMENT = 'authentication method requirement "password" failed: '


def refused(words: str, url: str = "postgresql://u@h/d", variable: str = "CONNECTION_URL") -> str:
    error = translated(parse_url(url, variable), psycopg.OperationalError(SERVER + words))
    assert isinstance(error, PostgresError)
    return str(error)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            'server certificate for "a.example" (and 1 other name) does not match host name "h"',
            "its certificate is for a.example, not for h",
        ),
        (
            'root certificate file "/home/u/.postgresql/root.crt" does not exist\nEither provide'
            " the file, use the system's trusted roots with sslrootcert=system, or change sslmode",
            "/home/u/.postgresql/root.crt, does not exist",
        ),
        ("SSL error: certificate verify failed", "its certificate could not be verified"),
        ("server does not support SSL, but SSL was required", "the server has no TLS"),
        (
            'FATAL:  no pg_hba.conf entry for host "192.0.2.9", user "u", database "d",'
            " no encryption",
            "takes no unencrypted connection",
        ),
        (
            'FATAL:  no pg_hba.conf entry for host "192.0.2.9", user "u", database "d", SSL off',
            "takes no unencrypted connection",
        ),
        ("FATAL:  connection requires a valid client certificate", "a client certificate"),
    ],
)
def test_a_certificate_or_sslmode_is_named(words: str, problem: str) -> None:
    message = refused(words)
    assert problem in message
    assert "ssl" in message  # an option's name
    assert "invoke up" not in message


@pytest.mark.parametrize(
    ("variable", "option", "words"),
    [
        ("PGSSLMODE", "sslmode", "server does not support SSL, but SSL was required"),
        ("PGREQUIREAUTH", "require_auth", f"{REQUIREMENT}server requested SASL authentication"),
        ("PGGSSENCMODE", "gssencmode", "GSSAPI encryption required but no credential cache"),
        ("PGCHANNELBINDING", "channel_binding", "channel binding required, but SSL not in use"),
        ("PGOPTIONS", "options", 'FATAL:  unrecognized configuration parameter "foo"'),
        ("PGOPTIONS", "options", "FATAL:  unsupported startup parameter: options"),
        ("PGOPTIONS", "options", "FATAL:  --bogus requires a value"),
        ("PGTARGETSESSIONATTRS", "target_session_attrs", "session is not read-only"),
    ],
)
def test_an_option_is_named_with_the_variable_that_sets_it(
    monkeypatch, variable, option, words
) -> None:
    monkeypatch.setenv(variable, "x")
    assert f"Check {option}, which {variable} sets" in refused(words)


def test_an_option_of_the_url_is_named_with_its_value() -> None:
    words = "server does not support SSL, but SSL was required"
    message = refused(words, "postgresql://u@h/d?sslmode=require")
    assert message.endswith("Check sslmode=require of CONNECTION_URL.")


def test_production_s_bundle_is_named_where_it_is_the_wrong_one() -> None:
    words = "SSL error: certificate verify failed"
    url = "postgresql://u@h/d?sslrootcert=/etc/ssl/wrong.pem"
    message = refused(words, url, "PROD_CONNECTION_URL")
    assert "PROD_CONNECTION_CA_BUNDLE" in message
    assert "verified with /etc/ssl/wrong.pem" in message


def test_a_pooler_that_lacks_the_database_says_what_to_use_instead() -> None:
    message = refused("FATAL:  no such database: postgres")
    assert message.endswith("Use the server's own host and port for it, not the pooler's.")
