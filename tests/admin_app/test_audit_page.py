"""The page that shows the audit."""

from __future__ import annotations

import pytest
from driving import ask, element, opened, said

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


def shown(app, column: str) -> list[str]:
    """A column of the table."""
    table = element(app, "records")
    at = [label for _, label in table["columns"]].index(column)
    return [row[at] for row in table["rows"]]


def test_without_lines_it_says_so(db, table) -> None:
    assert "No lines match" in said(opened(PAGE))


def test_the_newest_line_is_the_first(lines) -> None:
    app = opened(PAGE)
    assert shown(app, "Why") == ["ticket 2", "ticket 1"]


def test_lines_are_filtered_by_who(lines) -> None:
    app = opened(PAGE)
    next(box for box in app.text_input if box.label == "Who").input("olga").run()
    assert shown(app, "Who") == ["olga"]
    # An address names the filters too.
    assert shown(opened(PAGE, who="ivan"), "Who") == ["ivan"]
    assert shown(opened(PAGE, day="2026-03-01"), "Who") == ["olga"]


def test_thousands_of_lines_are_sent_a_part_at_a_time_and_read_once(lines, audit_lines) -> None:
    (line, _) = audit_lines.path.read_text().splitlines()
    audit_lines.path.write_text(f"{line}\n" * 3000)
    app = opened(PAGE)
    assert element(app, "records")["total"] == 3000
    audit_lines.path.write_text("")
    ask(app, "records", "view", start=1500)
    table = element(app, "records")
    assert table["start"] <= 1500 < table["start"] + len(table["rows"]) < 1700
    ask(app, "records", "view", start=2999)
    assert element(app, "records")["total"] == 3000
    app.run()  # as Refresh does
    assert "No lines match" in said(app)


def test_a_handle_is_refused_where_a_uuid_is_needed(lines) -> None:
    app = opened(PAGE)
    next(box for box in app.text_input if box.label == "About").input("olga").run()
    assert "'olga' is not a user's uuid" in said(app)


def test_with_a_login_the_page_needs_its_own_group(lines, logged_in) -> None:
    app = opened(PAGE)
    assert element(app, "records")  # a local target needs no login


def test_the_audit_of_production_is_for_the_auditors(lines, logged_in, db) -> None:
    db.query_commit("UPDATE public.cruddur_ops_environment SET environment = 'production'")
    app = opened(PAGE)
    assert element(app, "records") is None
    assert "cruddur-auditors" in said(app)
