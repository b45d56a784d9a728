"""A URL with several servers: the check and the change are on the same server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from unguarded import Database

from core import engines as embedded
from core.engines import Endpoints
from core.errors import TargetRefusedError
from core.postgres import admin
from core.targets.postgres import PostgresAddress, parse_url

TRIES = 6
NAME = "ha"


@pytest.fixture(scope="module")
def other_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A second server, in addition to the shared one."""
    folder = tmp_path_factory.mktemp("other") / "engines"
    embedded.start(folder)
    try:
        yield embedded.endpoints(folder)
    finally:
        embedded.stop(folder)


def address_on(server: Endpoints) -> PostgresAddress:
    return parse_url(server.postgres_url, "CONNECTION_URL").with_dbname(NAME)


def make(server: Endpoints, environment: str) -> PostgresAddress:
    address = address_on(server)
    with Database(address) as db:
        admin.drop_database(db)
        admin.create_database(db)
        admin.load_schema(db, environment)
    return address


@pytest.fixture
def servers(engines: Endpoints, other_engines: Endpoints) -> Iterator[list[PostgresAddress]]:
    """A database of one name on two servers: local on the one, production on the other."""
    both = [make(engines, "local"), make(other_engines, "production")]
    for address in both:
        with psycopg.connect(address.conninfo, autocommit=True) as connection:
            connection.execute(
                "DO $$ BEGIN CREATE ROLE ha SUPERUSER LOGIN PASSWORD 'pw';"
                " EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            )
    yield both
    for address in both:
        with Database(address) as db:
            admin.drop_database(db)


def url_of(servers: list[PostgresAddress], **options: str) -> str:
    hosts = ",".join(f"{address.host}:{address.port}" for address in servers)
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"postgresql://ha:pw@{hosts}/{NAME}?{query}"


def exists(address: PostgresAddress) -> bool:
    with Database(address) as db:
        return admin.database_exists(db)


RANDOM = {"load_balance_hosts": "random"}


class TestAUrlOfSeveralHosts:
    @pytest.mark.parametrize(
        "command",
        [
            ["db.drop"],
            ["db.drop", "--confirm", NAME],
            ["db.setup"],
            ["db.schema-load"],
            ["db.schema-load", "--confirm", NAME],
            ["--dry", "db.drop"],
        ],
        ids=" ".join,
    )
    def test_is_refused_for_destroying(self, run_invoke, servers, command) -> None:
        env = {"CONNECTION_URL": url_of(servers, **RANDOM)}
        for _ in range(TRIES if command == ["db.drop"] else 2):
            result = run_invoke(*command, env=env)
            assert (result.returncode, result.stdout) == (1, "")
            assert "CONNECTION_URL names several hosts" in result.stderr
        assert [exists(address) for address in servers] == [True, True]

    def test_is_refused_where_a_variable_or_a_service_file_names_them(
        self, run_invoke, servers, tmp_path: Path
    ) -> None:
        hosts = ",".join(address.host for address in servers)
        ports = ",".join(address.port for address in servers)
        service = tmp_path / "services"
        service.write_text(
            f"[ha]\nhost={hosts}\nport={ports}\nuser=ha\npassword=pw\nload_balance_hosts=random\n"
        )
        by_service = {
            "PGSERVICEFILE": str(service),
            "CONNECTION_URL": f"postgresql:///{NAME}?service=ha",
        }
        by_variable = {
            "PGHOST": hosts,
            "PGPORT": ports,
            "PGPASSWORD": "pw",
            "CONNECTION_URL": f"postgresql:///{NAME}?user=ha&load_balance_hosts=random",
        }
        by_address = {
            "CONNECTION_URL": f"postgresql:///{NAME}?hostaddr={hosts}&port={ports}"
            "&user=ha&password=pw&load_balance_hosts=random"
        }
        for env in (by_service, by_variable, by_address):
            for _ in range(3):
                result = run_invoke("db.drop", env=env)
                assert (result.returncode, result.stdout) == (1, ""), env
                assert "names several hosts" in result.stderr, result.stderr
        assert [exists(address) for address in servers] == [True, True]

    def test_writes_where_the_marker_was_read(self, run_invoke, servers) -> None:
        env = {"CONNECTION_URL": url_of(servers, **RANDOM)}
        codes = {run_invoke("db.seed", env=env).returncode for _ in range(TRIES)}
        assert codes <= {0, 1}
        with Database(servers[1]) as db:
            assert db.query_value("SELECT count(*) FROM public.users") == 0

    def test_psql_connects_where_the_marker_was_read(self, run_invoke, servers) -> None:
        env = {"CONNECTION_URL": url_of(servers, **RANDOM)}
        local, production = (f"port={address.port} " for address in servers)
        for _ in range(TRIES):
            shown = run_invoke("--dry", "db.connect", "--reason", "ticket 7", env=env).stdout
            assert [local in shown, production in shown] in ([True, False], [False, True]), shown
            assert ("read_only=on" in shown) is (production in shown)


class TestOneHandle:
    def test_stays_on_the_server_that_it_reached_first(self, servers) -> None:
        address = parse_url(url_of(servers, **RANDOM), "CONNECTION_URL")
        where = "SELECT system_identifier FROM pg_control_system(), pg_sleep(0.02)"
        seen = set()
        for _ in range(TRIES):
            with Database(address) as db, ThreadPoolExecutor(8) as threads:
                first = db.query_value(where)
                assert set(threads.map(lambda _: db.query_value(where), range(16))) == {first}
                db.close()
                assert db.query_value(where) == first
                with Database(db.reached.with_dbname("postgres")) as maintenance:
                    assert maintenance.query_value(where) == first
            seen.add(first)
        assert seen

    def test_drops_nothing_where_the_second_session_is_on_another_server(
        self, servers, monkeypatch
    ) -> None:
        local, production = servers
        with Database(local) as db:
            admin.read_marker(db)
            elsewhere = production
            monkeypatch.setattr(type(db), "reached", property(lambda _: elsewhere))
            with pytest.raises(TargetRefusedError, match="another server answers"):
                admin.drop_database(db)
        monkeypatch.undo()
        assert [exists(address) for address in servers] == [True, True]

    def test_drops_nothing_where_the_database_was_replaced(self, servers, monkeypatch) -> None:
        local, _ = servers
        identity = admin.read_identity

        def replaced(db, name):
            seen = identity(db, name)
            if db.address.dbname == name:  # after this read, another session creates it again
                with Database(local) as other:
                    db.close()
                    monkeypatch.setattr(admin, "read_identity", identity)
                    admin.drop_database(other)
                    admin.create_database(other)
            return seen

        monkeypatch.setattr(admin, "read_identity", replaced)
        with Database(local) as db, pytest.raises(TargetRefusedError, match="was replaced"):
            admin.drop_database(db)
        assert exists(local)
