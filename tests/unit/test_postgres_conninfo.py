"""A Postgres URL is understood as libpq understands it, and its password never shows."""

from __future__ import annotations

import pytest

from core.errors import SettingsError
from core.targets.postgres import PostgresAddress, parse_url


@pytest.fixture(autouse=True)
def no_libpq_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGUSER", "somebody")


def parsed(url: str) -> PostgresAddress:
    return parse_url(url, "CONNECTION_URL")


@pytest.mark.parametrize(
    ("url", "description"),
    [
        (
            "postgresql://postgres:pw@127.0.0.1:5433/cruddur",
            "cruddur at 127.0.0.1:5433 as postgres",
        ),
        ("postgres://root@db.example/cruddur", "cruddur at db.example:5432 as root"),
        ("postgresql://u:p%40%2F%3A%25@h/my%20db", "my db at h:5432 as u"),
        ("postgresql://u@[::1]:6000/d", "d at [::1]:6000 as u"),
        ("postgresql://u@%2Fvar%2Frun%2Fpg/d", "d at socket /var/run/pg, port 5432 as u"),
        ("postgresql:///d?host=/tmp/pg&port=7&user=u", "d at socket /tmp/pg, port 7 as u"),
        ("postgresql:///d", "d at the local socket, port 5432 as somebody"),
        ("postgresql://u@a:1,[::2],c:3/d?sslmode=allow", "d at a:1,[::2]:5432,c:3 as u"),
        ("postgresql://u@a,b/d", "d at a:5432,b:5432 as u"),
        ("postgresql://u@h/d?sslmode=require&options=-csearch_path%3Dx", "d at h:5432 as u"),
        ("postgresql://u@named/d?hostaddr=10.0.0.9", "d at 10.0.0.9:5432 as u"),
        ("postgresql://u@h/%22Quoted%22-N%C3%A4me", '"Quoted"-Näme at h:5432 as u'),
    ],
)
def test_an_address_says_where_it_leads(url: str, description: str) -> None:
    assert parsed(url).describe() == description


def test_settings_from_libpq_s_environment_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOSTADDR", "10.1.2.3")
    assert parsed("postgresql://u@localhost/d").describe() == "d at 10.1.2.3:5432 as u"
    assert not parsed("postgresql://u@localhost/d").is_local


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@h/d",
        "postgresql://u@h/d?password=hunter2&sslpassword=hunter2",
        "postgresql://u:hunter2@a:1,b:2/d",
    ],
)
def test_the_password_is_in_no_representation(url: str) -> None:
    address = parsed(url)
    shown = f"{address!r} {address} {address.describe()} {[address]} {address.with_dbname('e')}"
    assert "hunter2" not in shown
    assert "hunter2" in address.conninfo


@pytest.mark.parametrize(
    "url",
    [
        "hunter2",
        "mysql://u:hunter2@h/d",
        "postgresql+psycopg://u:hunter2@h/d",
        "postgresql://u:hun ter2@h/d",
        "postgresql://u:hunter2%zz@h/d",
        "postgresql://u:pre@hunter2@h/d",
        "postgresql://u:pre/hunter2@h/d",
        "postgresql://u:1/hunter2@h/d",
        "postgresql://u:x@h:hunter2/d",
        "postgresql://u:hunter2@h:99999/d",
        "postgresql://u:hunter2@h",
        "postgresql://u:hunter2@h/",
        "postgresql://u:hunter2@h/%00",
        "postgresql://u:hunter2@a:1,b:2,c/d?port=1,2",
        "postgresql://u:hunter2@h/" + "d" * 64,
        "postgresql://u:hunter2@h/\udcff",
    ],
)
def test_a_url_that_cannot_be_used_names_its_variable_and_shows_nothing_of_it(url: str) -> None:
    with pytest.raises(SettingsError, match="CONNECTION_URL") as raised:
        parsed(url)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert "\n" not in str(raised.value)


def test_a_missing_database_name_is_what_the_line_says() -> None:
    with pytest.raises(SettingsError, match="CONNECTION_URL names no database"):
        parsed("postgresql://u@h:5432")


@pytest.mark.parametrize("name", ["it's", 'with "quotes"', r"back\slash", "Größe", "a b", "x=y"])
def test_another_database_of_the_same_server_keeps_the_rest(name: str) -> None:
    address = parsed("postgresql://u:p%40ss@h:1/d?sslmode=require").with_dbname(name)
    assert address.dbname == name
    again = parse_url(address.conninfo, "CONNECTION_URL")
    assert (again.dbname, again.host, again.port, again.user) == (name, "h", "1", "u")
    assert "sslmode=require" in address.conninfo


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("postgresql://u@127.0.0.1/d", True),
        ("postgresql://u@localhost/d", True),
        ("postgresql://u@[::1]/d", True),
        ("postgresql:///d?host=/tmp", True),
        ("postgresql://u@127.0.0.1,db.example/d", False),
        ("postgresql://u@db.example/d", False),
        ("postgresql://u@10.0.0.1/d", False),
    ],
)
def test_an_address_knows_whether_it_is_this_machine(url: str, is_local: bool) -> None:
    assert parsed(url).is_local is is_local


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql://u:hunter2%@h/d", "has a % at character 23 that no two hexadecimal digits"),
        ("postgresql://u:hun ter2@h/d", "has a blank at character 19"),
        ("postgresql+psycopg2://u:hunter2@h/d", "begins with postgresql+psycopg2://"),
        ("mysql://u:hunter2@h/d", "begins with mysql://"),
        ("jdbc:postgresql://u:hunter2@h/d", "begins with jdbc:postgresql://"),
        ("postgresql://u:hunter2@h/d?schema=public", "has the option schema"),
        ("postgresql://u:hunter2@h/d?sslmode", "has the option sslmode without a value"),
        ("postgresql://h/d?options=-csearch_path=x&user=u", "has a bare = in the option options"),
        ('"postgresql://u:hunter2@h/d"', 'has a quote (") around it'),
        ("postgresql://u:hunter2@h/d'", "has a quote (') around it"),
        ("postgresql://u:hunter2@h/%00", "contains %00"),
    ],
)
def test_the_character_or_the_option_at_fault_is_named(url: str, problem: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parsed(url)
    assert str(raised.value).startswith(f"CONNECTION_URL {problem}")
    assert "hunter2" not in str(raised.value)


def test_no_part_of_a_password_is_taken_for_an_option() -> None:
    for url in ("postgresql://u:a?hunter2=b c@h/d", "postgresql://h/d?password=a&hunter2&user=u"):
        with pytest.raises(SettingsError) as raised:
            parsed(url)
        assert "hunter2" not in str(raised.value)


def test_a_url_without_a_user_where_the_system_has_none_is_one_line(monkeypatch) -> None:
    monkeypatch.setattr("core.targets.postgres._defaults", lambda: {"port": "5432"})
    with pytest.raises(SettingsError, match="CONNECTION_URL names no user"):
        parsed("postgresql://h/d")
