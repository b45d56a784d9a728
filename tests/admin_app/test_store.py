"""The page Store: each half loaded, empty and broken; doctor, verification, repair, count."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest
import streamlit as st
from driving import labels, opened, person, said
from streamlit.testing.v1 import AppTest
from unguarded import Database

from admin_app import resources
from core.dynamodb import keys
from core.dynamodb.integrity.faults import Fault
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import inbox_row_item
from core.dynamodb.patterns import reads
from core.dynamodb.patterns.sends import Draft, send, start
from core.dynamodb.table import GoOn, Table, always
from core.errors import UnreachableError
from core.models import InboxRow
from core.timestamps import parse

PAGE = "views/store.py"
NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "CONNECTION_URL": "postgresql://u@127.0.0.1:1/d",
}
EARLY = "2024-01-01T00:00:00.000000+00:00"


def shown(app: AppTest) -> str:
    """The text of the page, with its tables."""
    cells = [str(cell) for table in app.table for cell in table.value.to_numpy().flatten()]
    more = [element.value for kind in (app.text, app.warning) for element in kind]
    expanders = [expander.label for expander in app.expander]
    text = "\n".join([said(app), *cells, *more, *expanders])
    return text.replace("\\", "").replace(":gray[]", "")


def press(app: AppTest, label: str) -> AppTest:
    """Press a button, and return the page after its job has ended."""
    next(button for button in app.button if button.label == label).click().run()
    for job in list(resources.jobs().history):
        assert job.wait(20)
    app.run()
    assert not app.exception
    return app


def plant_a_stale_row(db: Database, table: Table) -> str:
    """The id of a new conversation whose older message bayko's inbox shows."""
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    group = start(table, Draft(ana, ben, "first"))[0].message_group_uuid
    send(table, group, Draft(ana, ben, "newest"))
    (row,) = reads.list_inbox(table, ben.uuid, limit=5).entries
    table.request("delete_item", Key=keys.key(keys.inbox_pk(ben.uuid), row.sort_key))
    stale = InboxRow(group, ben.uuid, ana, "first", EARLY, parse(EARLY))
    table.request("put_item", Item=inbox_row_item(stale))
    return group


@pytest.fixture
def group(db, table) -> str:
    return plant_a_stale_row(db, table)


def test_both_stores_are_described(db, table) -> None:
    text = shown(opened(PAGE))
    assert table.name in text
    assert "on, NEW_IMAGE" in text
    assert "message-group-sk-index" in text
    assert "on demand" in text
    assert "about every six hours" in text
    assert "public.users" in text
    assert db.address.dbname in text
    assert "cruddur-ops" in text  # this connection, among the sessions


def test_nothing_runs_without_a_click(db, table) -> None:
    opened(PAGE).run()
    assert list(resources.jobs().history) == []


def commands_of(app: AppTest) -> set[str]:
    assert not app.code  # until the expander is opened
    app.session_state["commands"] = True
    return {code.value for code in app.run().code}


def test_each_action_shows_its_command(db, table) -> None:
    assert commands_of(opened(PAGE)) >= {
        "invoke doctor",
        "invoke ddb.verify",
        "invoke ddb.verify --repair",
        "invoke db.sessions",
        "invoke ddb.list-tables",
    }


@pytest.mark.parametrize(
    ("down", "other_half"),
    [("AWS_ENDPOINT_URL", "public.users"), ("CONNECTION_URL", "message-group-sk-index")],
)
def test_a_store_that_is_down_does_not_hide_the_other(
    db, table, monkeypatch, down, other_half
) -> None:
    monkeypatch.setenv(down, NOWHERE[down])
    text = shown(opened(PAGE))
    assert "invoke up" in text
    assert other_half in text


def test_with_both_stores_down_the_doctor_still_answers(db, table, monkeypatch) -> None:
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    app = press(opened(PAGE), "Run the doctor")
    assert "dynamodb does not answer" in shown(app)
    assert "2 bad" in shown(app)


def test_results_from_before_a_store_failed_are_marked_as_older(db, table, monkeypatch) -> None:
    app = press(press(opened(PAGE), "Run the doctor"), "Verify the messages")
    assert "No problems." in shown(app)
    assert "older than what is broken" not in shown(app)

    def fail(_: object) -> None:
        raise UnreachableError("Postgres does not answer", "Run: invoke up")

    monkeypatch.setattr("core.postgres.description.describe_database", fail)
    app.button(key="refresh").click().run()
    assert shown(app).count("older than what is broken") == 2
    assert "No problems." not in shown(app)


def test_the_shown_cost_is_the_metered_one(db, table) -> None:
    start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "hi"))
    app = press(opened(PAGE), "Verify the messages")
    (job,) = resources.jobs().history
    consumed = f"{job.capacity.read_units:,g} RCU"
    assert consumed in "\n".join(str(caption.value) for caption in app.caption)
    assert f"Together {consumed}" in shown(app)


def test_engines_that_were_never_started_show_what_to_do(environ, monkeypatch, tmp_path) -> None:
    for name in ("AWS_ENDPOINT_URL", "CONNECTION_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("CRUDDUR_ENGINES_DIR", str(tmp_path / "engines"))
    st.cache_resource.clear()
    app = opened(PAGE)
    assert "invoke up" in shown(app)
    assert "Run the doctor" in labels(app)
    monkeypatch.setenv("CONNECTION_URL", environ["CONNECTION_URL"])
    st.cache_resource.clear()


def test_a_missing_table_names_its_command_beside_a_loaded_database(db, environ) -> None:
    text = shown(opened(PAGE))
    assert "invoke ddb.schema-load" in text
    assert "public.users" in text


def test_a_missing_database_names_its_command_beside_a_loaded_table(environ, table) -> None:
    text = shown(opened(PAGE))
    assert "invoke db." in text
    assert "message-group-sk-index" in text


def test_the_doctor_s_problems_name_the_command_that_fixes_them(db, table) -> None:
    table.client.delete_table(TableName=table.name)
    app = press(opened(PAGE), "Run the doctor")
    assert f"There is no table {table.name}" in shown(app)
    assert "bad, " in shown(app)
    assert "Create it: invoke ddb.schema-load" in shown(app)


def test_a_table_without_faults_has_no_problems(db, table) -> None:
    start(table, Draft(person(db, "andrewbrown"), person(db, "bayko"), "hi"))
    app = press(opened(PAGE), "Verify the messages")
    assert "No problems." in shown(app)
    assert "1 message" in shown(app)
    assert "Repair" not in labels(app)


def test_a_fault_is_shown_with_its_key_and_its_conversation(db, table, group) -> None:
    app = press(opened(PAGE), "Verify the messages")
    text = shown(app)
    assert "1 × stale preview" in text
    assert f"GRP#{person(db, 'bayko').uuid}  {EARLY}" in text
    (link,) = (link for link in app.get("page_link") if "Open as" in link.proto.label)
    assert link.proto.query_string == f"user=bayko&conversation={group}"


def test_a_repair_needs_the_table_s_name(db, table, group) -> None:
    app = press(opened(PAGE), "Verify the messages")
    assert "A repair would fix: 1 × stale preview" in shown(app)
    for typed in ("", "another-table"):
        app.text_input[0].input(typed)
        press(app, "Repair")
        assert f"It is {table.name}" in shown(app)
        assert inbox(db, table) == "first"
    app.text_input[0].input(table.name)
    press(app, "Repair")
    assert "Repaired 1." in shown(app)
    assert "No problems." in shown(app)
    assert inbox(db, table) == "newest"


def inbox(db: Database, table: Table) -> str:
    """The last message that bayko's inbox shows."""
    owner = person(db, "bayko").uuid
    return reads.list_inbox(table, owner, limit=1).entries[0].preview


def test_two_pages_start_one_repair(db, table, group) -> None:
    one = press(opened(PAGE), "Verify the messages")
    two = opened(PAGE)
    for app in (one, two):
        app.text_input[0].input(table.name)
    press(one, "Repair")
    press(two, "Repair")
    assert [job.title for job in resources.jobs().history].count("Repair") == 1


def test_a_running_job_is_shown_can_be_stopped_and_does_not_start_again(
    db, table, group, monkeypatch
) -> None:
    looked, may_end = threading.Event(), threading.Event()
    real = Verification.findings

    def slow(self: Verification, go_on: GoOn = always) -> Iterator[Fault]:
        def waiting(seen: int) -> bool:
            looked.set()
            may_end.wait(20)
            return go_on(seen)

        return real(self, waiting)

    monkeypatch.setattr(Verification, "findings", slow)
    app = opened(PAGE)
    button = next(button for button in app.button if button.label == "Verify the messages")
    button.click().run()
    assert looked.wait(5)
    assert "Stop" in labels(app)
    next(button for button in app.button if button.label == "Verify the messages").click().run()
    assert len(resources.jobs().history) == 1
    next(button for button in app.button if button.label == "Stop").click().run()
    may_end.set()
    assert resources.jobs().history[0].wait(10)
    app.run()
    assert "Stopped after looking at nothing" in shown(app)
    assert "Repair" not in labels(app)


def test_messages_are_counted_on_demand_after_the_cost_is_shown(db, table) -> None:
    ana, ben = person(db, "andrewbrown"), person(db, "bayko")
    group = start(table, Draft(ana, ben, "one"))[0].message_group_uuid
    send(table, group, Draft(ben, ana, "two"))
    app = opened(PAGE)
    assert "Reads the whole table" in shown(app)
    press(app, "Count the messages")
    assert "2 messages in the last 24 hours" in shown(app)
    (chart,) = app.get("vega_lite_chart")
    assert "messages per hour" in chart.proto.spec
    app.segmented_control[0].set_value("30 days").run()
    assert "2 messages in the last 30 days" in shown(app)


def test_the_consumption_of_the_page_is_added_up(db, table, group) -> None:
    app = opened(PAGE)
    assert "None yet" in shown(app)
    press(app, "Verify the messages")
    press(app, "Count the messages")
    total = sum(job.capacity.read_units for job in resources.jobs().history)
    assert total > 0
    assert f"Together {total:,g} RCU and 0 WCU" in shown(app)


def test_a_store_that_stops_during_a_job_is_a_problem_not_a_traceback(
    db, table, group, monkeypatch
) -> None:
    app = opened(PAGE)
    monkeypatch.setattr(
        "core.usecases.integrity.verification", lambda *_: db.query_value("SELECT 1 / 0")
    )
    press(app, "Verify the messages")
    assert "division by zero" in shown(app)


def test_many_sessions_are_shown_page_by_page(db, table) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(25):
            stack.enter_context(Database(db.address)).query_value("SELECT 1")
        app = opened(PAGE)
        assert "Previous" not in labels(app)
        first = pids(app)
        next(button for button in app.button if button.label == "Next").click().run()
        second = pids(app)
        assert (len(first), len(first & second)) == (20, 0)
        next(button for button in app.button if button.label == "Previous").click().run()
        assert pids(app) == first


def pids(app: AppTest) -> set[str]:
    (sessions,) = (table.value for table in app.table if "Pid" in table.value.columns)
    return set(sessions["Pid"])


def test_names_from_other_programs_are_shown_as_text(db, table) -> None:
    naming = "SELECT set_config('application_name', '**[x](http://e.example)**', false)"
    with Database(db.address) as other:
        other.query_value(naming)
        cells = [str(cell) for t in opened(PAGE).table for cell in t.value.to_numpy().flatten()]
    (cell,) = (cell for cell in cells if "e\\.example" in cell)
    assert "\\*\\*\\[x\\]" in cell


class TestProduction:
    @pytest.fixture
    def production(self, db, table, group, monkeypatch) -> Table:
        marker = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
        table.request("put_item", Item=marker)
        return table

    @pytest.fixture
    def signed_in(self, production, logged_in) -> None:
        """Production, and a person who may see it."""

    def test_shows_nothing_without_a_login(self, production) -> None:
        text = shown(opened(PAGE))
        assert "needs a login" in text
        assert "public.users" not in text

    def test_a_table_that_is_down_does_not_open_a_production_database(
        self, db, production, monkeypatch
    ) -> None:
        db.query_commit("UPDATE public.cruddur_ops_environment SET environment = 'production'")
        monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE["AWS_ENDPOINT_URL"])
        text = shown(opened(PAGE))
        assert "needs a login" in text
        assert "public.users" not in text

    def test_verifies_and_shows_the_plan_but_repairs_nothing(self, signed_in) -> None:
        app = press(opened(PAGE), "Verify the messages")
        assert "A repair would fix: 1 × stale preview" in shown(app)
        assert "Read-only. To repair here" in shown(app)
        assert "Repair" not in labels(app)

    def test_repairs_by_name_with_write(
        self, db, table, signed_in, audit_lines, monkeypatch
    ) -> None:
        monkeypatch.setattr("sys.argv", ["app.py", "--write"])
        app = press(opened(PAGE), "Verify the messages")
        app.text_input[0].input(table.name)
        press(app, "Repair")
        assert inbox(db, table) == "newest"
        (entry,) = audit_lines
        assert entry.what == "store repaired"

    def test_a_table_that_has_just_become_production_is_not_repaired(
        self, db, table, group
    ) -> None:
        app = press(opened(PAGE), "Verify the messages")  # remembers it as local for a minute
        marker = keys.ENVIRONMENT_KEY | {"environment": {"S": "production"}}
        table.request("put_item", Item=marker)
        app.text_input[0].input(table.name)
        press(app, "Repair")
        assert "needs a login" in shown(app)
        assert resources.jobs().history[-1].wait(10)
        assert "read-only" in str(resources.jobs().history[-1].problem)
        assert inbox(db, table) == "first"

    def test_the_commands_are_for_the_production_target(
        self, environ, signed_in, monkeypatch
    ) -> None:
        for name, value in {
            "PROD_CONNECTION_URL": environ["CONNECTION_URL"],
            "PROD_AWS_ENDPOINT_URL": environ["AWS_ENDPOINT_URL"],
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["app.py", "--prod"])
        assert commands_of(opened(PAGE)) >= {
            "invoke doctor --prod",
            "invoke ddb.verify --prod --repair",
        }
