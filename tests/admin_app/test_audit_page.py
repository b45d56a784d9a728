"""The page that shows the audit."""

from __future__ import annotations

import pytest
from driving import opened, said

from core.access import AuditEntry, AuditLog

PAGE = "views/audit.py"


@pytest.fixture
def lines(db, table, audit_lines) -> None:
    log = AuditLog(audit_lines.path)
    for number, user in enumerate(("olga", "ivan"), start=1):
        log.write(
            AuditEntry(
                at=f"2026-03-0{number}T12:00:00.000000+00:00",
                actor={"user": user},
                target="production",
                stores={"dynamodb": "a table"},
                what="inbox opened",
                purpose="reading",
                about=("a uuid",),
                why=f"ticket {number}",
            )
        )


def test_without_lines_it_says_so(db, table) -> None:
    assert "No lines match" in said(opened(PAGE))


def test_the_newest_line_is_the_first(lines) -> None:
    app = opened(PAGE)
    assert list(app.dataframe[0].value["Why"]) == ["ticket 2", "ticket 1"]


def test_lines_are_filtered_by_who(lines) -> None:
    app = opened(PAGE)
    next(box for box in app.text_input if box.label == "Who").input("olga").run()
    assert list(app.dataframe[0].value["Who"]) == ["olga"]
    # An address names the filters too.
    assert list(opened(PAGE, who="ivan").dataframe[0].value["Who"]) == ["ivan"]
    assert list(opened(PAGE, day="2026-03-01").dataframe[0].value["Who"]) == ["olga"]


def test_a_handle_is_refused_where_a_uuid_is_needed(lines) -> None:
    app = opened(PAGE)
    next(box for box in app.text_input if box.label == "About").input("olga").run()
    assert "'olga' is not a user's uuid" in said(app)


def test_with_a_login_the_page_needs_its_own_group(lines, logged_in) -> None:
    app = opened(PAGE)
    assert len(app.dataframe) == 1  # a local target needs no login


def test_the_audit_of_production_is_for_the_auditors(lines, logged_in, db) -> None:
    db.query_commit("UPDATE public.cruddur_ops_environment SET environment = 'production'")
    app = opened(PAGE)
    assert len(app.dataframe) == 0
    assert "cruddur-auditors" in said(app)
