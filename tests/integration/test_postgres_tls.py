"""A connection with TLS, verified or refused: a proxy with a certificate before a Postgres."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from unguarded import Database

from core.errors import PostgresError
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
