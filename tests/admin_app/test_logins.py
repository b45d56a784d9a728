"""How long a login is valid, and where this is checked."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from admin_app import log_lines, logins
from admin_app.logins import EndedLogins, Login, login_from
from core.settings import PROJECT_ROOT
from core.timestamps import now

CLAIMS = {"is_logged_in": True, "iss": "https://id.example", "sub": "olga", "email": "o@x.example"}


def login(age: timedelta = timedelta(0), **claims: object) -> Login:
    current = login_from({**CLAIMS, "iat": (now() - age).timestamp(), **claims})
    assert current is not None
    return current


@pytest.fixture(autouse=True)
def ended(monkeypatch) -> EndedLogins:
    monkeypatch.setattr(logins, "ENDED", EndedLogins())
    return logins.ENDED


def test_without_the_servers_claims_nobody_is_logged_in() -> None:
    assert login_from({}) is None
    assert login_from({**CLAIMS, "is_logged_in": False}) is None


@pytest.mark.parametrize(
    ("age", "is_valid"),
    [
        (timedelta(0), True),
        (timedelta(hours=11, minutes=59), True),
        (timedelta(hours=12, seconds=1), False),
        (timedelta(minutes=-4), True),  # the provider's clock is ahead
        (timedelta(hours=-1), False),
    ],
)
def test_a_login_lasts_twelve_hours(age, is_valid) -> None:
    assert login(age).is_valid is is_valid


def test_a_login_without_a_time_is_invalid() -> None:
    assert not login(iat=None).is_valid
    assert not login(iat="").is_valid


def test_an_ended_login_is_invalid_in_every_tab_but_other_logins_are_valid(ended) -> None:
    issued_at = now().timestamp()
    ended.add(login(iat=issued_at))
    assert not login(iat=issued_at, email="another@x.example").is_valid
    assert login(iat=issued_at + 1).is_valid  # the same person, logged in again
    assert login(iat=issued_at, sub="otto").is_valid
    assert login(iat=issued_at, iss="https://other.example").is_valid


def test_expired_logins_are_forgotten(ended) -> None:
    ended.add(login(timedelta(hours=13)))
    ended.add(login(timedelta(hours=11)))
    ended.add(login())
    assert len(ended) == 2


def test_groups_are_cognitos_or_the_usual_ones() -> None:
    assert login(**{"cognito:groups": ["a", "b"]}).groups == {"a", "b"}
    assert login(groups="a").groups == {"a"}
    assert login().groups == frozenset()


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    """The syntax of the admin UI's modules."""
    for path in (PROJECT_ROOT / "admin_app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            yield path, node


def decorators(part: str) -> dict[str, list[str]]:
    """The decorators of each function of the admin UI, by its name, if one contains ``part``."""
    functions = {}
    for path, node in nodes():
        if isinstance(node, ast.FunctionDef):
            names = [ast.unparse(decorator) for decorator in node.decorator_list]
            if any(part in name for name in names):
                functions[f"{path.stem}.{node.name}"] = names
    return functions


def test_every_run_ends_by_itself() -> None:
    """After ``st.stop()``, late ticks would run the fragments of the page before."""
    calls = {(path.name, ast.unparse(node)) for path, node in nodes() if isinstance(node, ast.Call)}
    assert ("login.py", "st.logout()") in calls
    assert [call for call in calls if call[1] == "st.stop()"] == []


def test_every_fragment_checks_the_login() -> None:
    fragments = decorators("st.fragment")
    assert len(fragments) > 4
    own = fragments.pop("login._watch")  # checks itself
    assert len(own) == 1
    assert {name for name, names in fragments.items() if names[-1] != "login.required"} == set()


def test_every_callback_that_stores_or_starts_something_checks_the_login() -> None:
    actions = set(decorators("login.action"))
    assert actions == {
        "elements.take",  # every question of an element, a message to send among them
        "new_conversation._submit",
        "search._begin",
        "users._add",
        "progress._pressed",
        "health._begin_repair",
        "removing._remove",
        "downloading.begin",
        "one_user._prepare",
        "one_user._held",
        "one_user._renamed",
        "one_user._begin_erasure",
    }


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain, ñ and 日本", "plain, ñ and 日本"),
        ("\x1b[31mred\x9b2J", "\\x1b[31mred\\x9b2J"),
        ("one\r\ntwo\u2028three", "one  two\\u2028three"),
        ("\u202eleft\u2066\U000e0001", "\\u202eleft\\u2066\\U000e0001"),
        ("%s", "%s"),
    ],
)
def test_a_log_line_is_one_line_of_printable_characters(text, written) -> None:
    record = log_lines.PlainRecord("x", logging.INFO, __file__, 1, "said: %s", (text,), None)
    assert logging.Formatter("%(message)s").format(record) == f"said: {written}"


def test_a_traceback_has_only_printable_characters() -> None:
    with pytest.raises(ValueError, match="red") as caught:
        raise ValueError("\x1b[31mred\nforged")
    problem = (caught.type, caught.value, caught.tb)
    record = log_lines.PlainRecord("x", logging.INFO, __file__, 1, "broke", (), problem)
    lines = logging.Formatter("%(message)s").format(record).split("\n")
    assert lines[0] == "broke"
    assert "ValueError: \\x1b[31mred" in lines
    assert all(line.isprintable() for line in lines)
