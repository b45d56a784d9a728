"""A connection with TLS, verified or refused: a proxy with a certificate before a Postgres."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from unguarded import Database

from core.aws.database_password import IamToken, postgres_address
from core.errors import CredentialsError, PostgresError
from core.settings import Settings
from core.targets import resolve
from core.targets.postgres import PostgresAddress

NAME = "db.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and its own certificate, for NAME."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    encoding = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(
            encoding,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(encoding)
    )
    return path


@pytest.fixture(scope="module")
def tls_port(engines, certificate: Path):
    """The port of a server that speaks TLS and hands everything on to the shared Postgres."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = conninfo_to_dict(engines.postgres_url)
    behind = (str(server["host"]), int(server["port"] or 0))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, context, behind), daemon=True).start()
        yield listener.getsockname()[1]


def _serve(listener: socket.socket, context: ssl.SSLContext, behind: tuple[str, int]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_relay, args=(client, context, behind), daemon=True).start()


def _relay(client: socket.socket, context: ssl.SSLContext, behind: tuple[str, int]) -> None:
    try:
        client.recv(8)  # the request for TLS
        client.sendall(b"S")
        inside = context.wrap_socket(client, server_side=True)
        with inside, socket.create_connection(behind) as server:
            back = threading.Thread(target=_pump, args=(server, inside), daemon=True)
            back.start()
            _pump(inside, server)
            back.join(5)
    except OSError:
        client.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def through(address: PostgresAddress, port: int, **options: str) -> PostgresAddress:
    tunnel = {"host": NAME, "hostaddr": "127.0.0.1", "port": str(port), **options}
    return address.narrowed(make_conninfo(address.conninfo, **tunnel), NAME, str(port))


def test_a_server_with_a_known_certificate_and_name_is_verified(
    db: Database, tls_port, certificate
) -> None:
    options = {"sslmode": "verify-full", "sslrootcert": str(certificate)}
    with Database(through(db.address, tls_port, **options)) as encrypted:
        assert encrypted.query_value("SELECT 1") == 1
        assert encrypted.is_verified()


def test_encryption_alone_is_not_verification(db: Database, tls_port) -> None:
    with Database(through(db.address, tls_port, sslmode="require")) as encrypted:
        assert encrypted.query_value("SELECT 1") == 1
        assert not encrypted.is_verified()
    assert not db.is_verified()


def test_another_name_and_an_unknown_certificate_are_refused(
    db: Database, tls_port, certificate
) -> None:
    options = {"sslmode": "verify-full", "sslrootcert": str(certificate)}
    for changed, problem in (
        ({"host": "other.example"}, "its certificate is for db.example, not for other.example"),
        ({"sslrootcert": "/etc/ssl/certs/ca-certificates.crt"}, "could not be verified"),
        ({"sslrootcert": "/gone.pem"}, "/gone.pem, does not exist"),
    ):
        address = through(db.address, tls_port, **(options | changed))
        with Database(address) as refused, pytest.raises(PostgresError, match=problem):
            refused.query_value("SELECT 1")


@pytest.fixture
def signed_in_role(db: Database, engines_folder: Path) -> Iterator[str]:
    """A role whose password the server takes as RDS takes a token: in clear text, within TLS."""
    role, rules = f"iam_{uuid.uuid4().hex[:8]}", engines_folder / "postgres" / "pg_hba.conf"
    before = rules.read_text()
    db.query_commit(f"CREATE ROLE {role} LOGIN")  # type: ignore[arg-type]
    rules.write_text(f"host all {role} 127.0.0.1/32 password\n{before}")
    db.query_commit("SELECT pg_reload_conf()")
    yield role
    rules.write_text(before)
    db.query_commit("SELECT pg_reload_conf()")
    db.query_commit(f"DROP ROLE {role}")  # type: ignore[arg-type]


def test_an_iam_token_is_the_password_of_each_verified_connection(
    db: Database, signed_in_role: str, tls_port, certificate, monkeypatch
) -> None:
    """RDS itself is missing: the server is told each token that is signed for it."""
    tokens, sign = [], IamToken.__call__

    def accepted(token_of: IamToken, renew: bool = False) -> str:
        tokens.append(sign(token_of, renew))
        statement = f"ALTER ROLE {signed_in_role} PASSWORD '{tokens[-1]}'"
        db.query_commit(statement)  # type: ignore[arg-type]
        return tokens[-1]

    monkeypatch.setattr(IamToken, "__call__", accepted)
    options = "hostaddr=127.0.0.1&sslmode=verify-full"
    environ = {
        "PROD_CONNECTION_URL": f"postgresql://{signed_in_role}@{NAME}:{tls_port}/"
        f"{db.address.dbname}?{options}",
        "PROD_CONNECTION_CA_BUNDLE": str(certificate),
        "PROD_CONNECTION_IAM": "1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
    }
    address = postgres_address(resolve(Settings.from_env(environ, Path("/none")), prod=True))
    with Database(address) as production:
        for _ in range(2):
            assert production.query_value("SELECT current_user::text") == signed_in_role
            assert production.is_verified()
            production.close()
    assert all(token.startswith(f"{NAME}:{tls_port}/?Action=connect") for token in tokens)
    assert len(tokens) == 2
    monkeypatch.setattr(IamToken, "__call__", sign)
    db.query_commit(f"ALTER ROLE {signed_in_role} PASSWORD 'expired'")  # type: ignore[arg-type]
    with Database(address) as expired, pytest.raises(CredentialsError) as refused:
        expired.query_value("SELECT 1")
    assert "where its password is from" in str(refused.value)
    assert "X-Amz-Signature" not in str(refused.value)


def test_a_password_is_asked_for_at_each_connection_and_renewed_when_refused(
    db: Database, tls_port
) -> None:
    given: list[bool] = []
    known = conninfo_to_dict(db.address.conninfo)
    password = str(known.pop("password"))

    def ask(renew: bool) -> str:
        given.append(renew)
        return password if True in given else "replaced meanwhile"

    address = through(db.address, tls_port, sslmode="require")
    bare = {k: v for k, v in conninfo_to_dict(address.conninfo).items() if k != "password"}
    with Database(replace(address, conninfo=make_conninfo("", **bare), password=ask)) as asked:
        assert asked.query_value("SELECT 1") == 1
        asked.close()
        assert asked.query_value("SELECT 1") == 1
    assert given == [False, True, False, False]
