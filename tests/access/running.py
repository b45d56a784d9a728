"""Running one cell: a task as it is typed, or an action of the admin UI, in this process.

Each request to a store's handle is noted where the store checks it, so no read is missed. Only what
leaves this process has stand-ins: the servers and shells that would replace it, and the embedded
engines that would be started.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import psycopg
import streamlit as st
from commands.conftest import hermetic_environment
from invoke.collection import Collection
from invoke.context import Context
from invoke.program import Program
from invoke.runners import Result
from psycopg.conninfo import conninfo_to_dict
from streamlit.testing.v1 import AppTest

import tasks
from admin_app import actions, login, logins, resources
from admin_app.access import Desk, InTheBrowser
from admin_app.logins import EndedLogins, Login
from core import engines
from core.access import Action, Actor, Stores
from core.aws import AwsServices, list_users, services
from core.dynamodb import Follower, permissions, repair, scan
from core.errors import CoreError
from core.postgres import (
    Programs,
    create_user,
    find_people_by_uuid,
    find_person,
    search_users,
    statements,
)
from core.postgres.database import Queries
from core.purposes import Need
from core.settings import PROJECT_ROOT, Settings
from core.timestamps import now
from core.usecases import conversations, erasure, integrity, people, removals
from core.usecases.conversation_export import Format, export_conversation
from core.usecases.person_export import export_as_text
from core.usecases.search import search
from task_groups import running

from .design import AWS, DYNAMODB, POSTGRES, Cell
from .places import Place

REASON = "ticket 7"
REHEARSAL = "cruddur_rehearsal"
"""How the names of databases begin that hold a copy of a schema."""

TYPED_INTO_PSQL = (
    "SELECT handle FROM public.users;\n"
    "INSERT INTO public.users (display_name, handle, email) VALUES ('P', 'psql', 'p@x.org');\n"
)


@dataclass
class Outcome:
    """The output of a run, and its requests to the stores."""

    code: int = 0
    out: str = ""
    err: str = ""
    refused: bool = False
    read: set[str] = field(default_factory=set)


class Needs:
    """Notes which stores are asked for users' data while a cell runs."""

    def __init__(self) -> None:
        self.read: set[str] | None = None

    def note(self, store: str, need: Need) -> None:
        if self.read is not None and need is Need.READ:
            self.read.add(store)

    @contextlib.contextmanager
    def noted(self, read: set[str]) -> Iterator[None]:
        self.read = read
        try:
            yield
        finally:
            self.read = None

    @contextlib.contextmanager
    def wrapped(self) -> Iterator[None]:
        """Note here every check of a need in each store package."""
        of_request, of_statement = permissions.need_of, Queries._require
        of_service = AwsServices._check

        def request(operation: str, params: Mapping[str, Any]) -> Need:
            need = of_request(operation, params)
            self.note(DYNAMODB, need)
            return need

        def statement(queries: Queries, text: Any, otherwise: Need) -> None:
            of_statement(queries, text, otherwise)
            if REHEARSAL not in queries.address.dbname:
                self.note(POSTGRES, statements.need_of(text, otherwise))

        def service(handle: AwsServices, params: Any, model: Any, **more: Any) -> None:
            of_service(handle, params, model, **more)
            name = model.service_model.service_name
            self.note(AWS, services.need_of(name, model.name))

        with (
            mock.patch.object(permissions, "need_of", request),
            mock.patch.object(Queries, "_require", statement),
            mock.patch.object(AwsServices, "_check", service),
        ):
            yield


NEEDS = Needs()


# A task


def typed(cell: Cell, options: frozenset[str], words: Mapping[str, str], name: str) -> list[str]:
    """The command line of a cell: ``name`` is the right one to confirm with."""
    line = ["invoke", *(["--dry"] if cell.dry else []), cell.row.name]
    line += [word.format_map(words) for word in cell.row.words]
    line += cell.state.options
    if "confirm" in options and cell.name != "none":
        line += ["--confirm", name if cell.name == "right" else "another-name"]
    if "reason" in options and cell.reason == "option":
        line += ["--reason", REASON]
    return line


def run_task(
    cell: Cell, line: list[str], environment: Mapping[str, str], folder: Path, stdin: str
) -> Outcome:
    """Run ``line`` as a person's shell would, without this machine's environment."""
    outcome = Outcome()
    out, err = io.StringIO(), io.StringIO()
    variables = hermetic_environment(folder) | dict(environment)
    variables |= {name: value.format(folder=folder) for name, value in cell.row.settings.items()}
    if cell.reason == "variable":
        variables["CRUDDUR_REASON"] = REASON
    with (
        mock.patch.dict(os.environ, variables, clear=True),
        mock.patch.object(sys, "stdin", io.StringIO(stdin)),
        contextlib.chdir(PROJECT_ROOT),
        _stood_in_for(),
        NEEDS.noted(outcome.read),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            OneTask(cell.row.name).run(line)
        except SystemExit as error:
            outcome.code = int(error.code or 0)
    outcome.out, outcome.err = out.getvalue(), err.getvalue()
    last = (outcome.err.splitlines() or [""])[-1]
    outcome.refused = last.startswith(("Refused", "The task start works on local stores only"))
    return outcome


class OneTask(Program):
    """Invoke with one of the project's tasks: the options of all take half of a cell's time."""

    def __init__(self, name: str) -> None:
        super().__init__(name="invoke", binary="invoke")
        self.task_name = name

    def load_collection(self) -> None:
        self.config.set_project_location(str(PROJECT_ROOT))
        self.config.load_project()
        *groups, last = self.task_name.split(".")
        collection = Collection()
        collection.add_task(tasks.ns[self.task_name], name=last)
        for group in reversed(groups):
            outer = Collection()
            outer.add_collection(collection, name=group)
            collection = outer
        self.collection = collection


@contextlib.contextmanager
def _stood_in_for() -> Iterator[None]:
    """Stand-ins for what would leave this process, and for the wait between two polls."""
    with (
        mock.patch.object(os, "execv", _execute),
        mock.patch.object(os, "putenv"),
        mock.patch.object(Context, "run", return_value=Result()),
        mock.patch.object(engines, "start", return_value=[]),
        mock.patch.object(engines, "start_postgres"),
        mock.patch.object(engines, "stop", return_value=[]),
        mock.patch.object(Follower, "poll", _polled_once(Follower.poll)),
        mock.patch.object(Programs, "run", _run_program),
    ):
        yield


def _execute(program: str, argv: list[str]) -> NoReturn:
    """The process ends here. A shell first does what its user types: look, and add a user."""
    if "admin_app" not in argv:
        parts = conninfo_to_dict(running.run().target.postgres.conninfo)
        environment = os.environ | {"PGPASSWORD": str(parts["password"])}
        done = subprocess.run(
            argv, env=environment, input=TYPED_INTO_PSQL, capture_output=True, text=True
        )
        sys.stdout.write(done.stdout)
        if "bayko" in done.stdout:
            NEEDS.note(POSTGRES, Need.READ)
    raise SystemExit(0)


def _run_program(
    _: Programs,
    name: str,
    arguments: list[str],
    address: Any = None,
    *,
    stdout: Any = None,
    **__: Any,
) -> None:
    """What pg_dump and pg_restore do to a database: read all of it, or write into it."""
    if name == "pg_dump":
        if not any(option.startswith("--exclude-table-data") for option in arguments):
            NEEDS.note(POSTGRES, Need.READ)
        stdout.write(b"PGDMP")
    elif address is not None:
        with psycopg.connect(address.conninfo) as connection:
            is_copy = REHEARSAL in address.dbname
            connection.execute(
                statements.load("schema") if is_copy else "CREATE TABLE public.restored (n int)"
            )


def _polled_once(poll: Callable[[Follower], Iterator[Any]]) -> Callable[[Follower], Iterator[Any]]:
    """Press Ctrl-C after all waiting records were read."""

    def polled(follower: Follower) -> Iterator[Any]:
        yield from poll(follower)
        raise KeyboardInterrupt

    return polled


# An action of the admin UI


def run_action(
    cell: Cell, environment: Mapping[str, str], folder: Path, place: Place, name: str
) -> Outcome:
    """Do the action through the desk of a tab."""
    outcome = Outcome()
    err = io.StringIO()
    variables = hermetic_environment(folder) | dict(environment)
    typed_name = {"none": None, "right": name, "wrong": "another-name"}[cell.name]
    visitor = InTheBrowser(
        Actor(email="olga@id.example", subject="olga"),
        cell.may_write,
        lambda: None,
        "" if cell.reason == "none" else REASON,
        typed_name,
    )
    (action,) = (entry for entry in actions.ALL if entry.name == cell.row.name)
    arguments = ["app.py", *cell.state.options]
    st.cache_resource.clear()
    with (
        mock.patch.dict(os.environ, variables, clear=True),
        mock.patch.object(sys, "argv", arguments),
        NEEDS.noted(outcome.read),
        contextlib.redirect_stderr(err),
    ):
        desk = Desk(resources.door(), visitor)
        try:
            _act(desk, action, place.conversation, place.pool_id)
        except CoreError as error:
            outcome.code = 1
            outcome.err = str(error)
            outcome.refused = outcome.err.startswith(("Refused", "The admin UI is read-only"))
        finally:
            desk.door.close()
    return outcome


# A page of the admin UI

PAGES: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "inbox opened": ("", {"user": "bayko"}, "Why do you open this inbox?"),
    "users opened": ("views/users.py", {}, "Why do you open the users?"),
    "message groups opened": (
        "views/message_groups.py",
        {},
        "Why do you open all conversations?",
    ),
}
"""The page that does an action when it is drawn, its address, and what it asks on production."""


def _enter(group: str | None) -> bool:
    """Accept the logged-in person, as the log-in page does."""
    st.session_state[login._GROUP] = group
    return True


def run_page(cell: Cell, environment: Mapping[str, str], folder: Path) -> Outcome:
    """Draw the page for a logged-in person, and give the reason that it asks for."""
    outcome = Outcome()
    out, err = io.StringIO(), io.StringIO()
    variables = hermetic_environment(folder) | dict(environment)
    page, query, question = PAGES[cell.row.name]
    arguments = ["app.py", *cell.state.options]
    st.cache_resource.clear()
    st.cache_data.clear()
    group = frozenset({Settings().admin_group})
    olga = Login("https://id.example", "olga", now().timestamp(), "", group)
    with (
        mock.patch.dict(os.environ, variables, clear=True),
        mock.patch.object(sys, "argv", arguments),
        mock.patch.object(logins, "ENDED", EndedLogins()),
        mock.patch.object(login, "current", return_value=olga),
        mock.patch.object(login, "enter", _enter),
        NEEDS.noted(outcome.read),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        app = AppTest.from_file(str(PROJECT_ROOT / "admin_app" / "app.py"), default_timeout=30)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        if page:
            app.switch_page(page).run()
        box = next((box for box in app.text_input if box.label == question), None)
        if box is not None and cell.reason != "none":
            box.input(REASON)
            next(b for b in app.button if b.form_id == box.form_id).click().run()
            box = next((box for box in app.text_input if box.label == question), None)
        assert not app.exception
        resources.door().close()
    outcome.err = err.getvalue()
    outcome.refused = box is not None
    outcome.code = int(outcome.refused)
    return outcome


def _act(desk: Desk, action: Action, conversation: str, pool_id: str) -> None:
    with desk.open(action, conversation=conversation) as stores:
        _ACTS[action.name](stores, conversation, pool_id)


def _read_inbox(stores: Stores, *_: str) -> None:
    assert conversations.list_inbox(stores.db, stores.table, "bayko", limit=20).entries


def _read_conversation(stores: Stores, conversation: str, _: str) -> None:
    assert conversations.list_messages(stores.table, conversation, limit=20).entries


def _export(stores: Stores, conversation: str, _: str) -> None:
    names = functools.partial(find_people_by_uuid, stores.db)
    parts = export_conversation(stores.table, conversation, Format.JSON_LINES, names, "")
    assert len([*parts]) > 0


def _read_all(stores: Stores, *_: str) -> None:
    owners = {item["pk"]["S"].removeprefix("GRP#") for item in scan(stores.table)}
    assert conversations.current_names(stores.db, owners)


def _search(stores: Stores, *_: str) -> None:
    pages = search(stores.db, stores.table, "first", user="bayko")
    assert any(page.messages for page in pages)


def _read_users(stores: Stores, *_: str) -> None:
    assert search_users(stores.db, "").entries


def _read_pool(stores: Stores, _: str, pool_id: str) -> None:
    assert list(list_users(stores.aws, pool_id))


def _send(stores: Stores, conversation: str, _: str) -> None:
    conversations.send_message(stores.db, stores.table, "bayko", conversation, "hello there")


def _remove(stores: Stores, conversation: str, _: str) -> None:
    message = conversations.list_messages(stores.table, conversation, limit=1).entries[0]
    removals.remove_message(stores.table, conversation, message_uuid=message.message_uuid)


def _start(stores: Stores, *_: str) -> None:
    conversations.start_conversation(stores.db, stores.table, "bayko", "andrewbrown", "hello there")


def _create(stores: Stores, *_: str) -> None:
    create_user(stores.db, "newcomer", "New Comer", "newcomer@example.com")


def _rename(stores: Stores, *_: str) -> None:
    people.rename(stores, _uuid(stores), new_handle="bayko2")


def _export_user(stores: Stores, *_: str) -> None:
    assert len([*export_as_text(stores, _uuid(stores))]) > 1


def _uuid(stores: Stores) -> str:
    return find_person(stores.db, "bayko").uuid


def _hold(stores: Stores, *_: str) -> None:
    people.hold(stores, _uuid(stores))


def _release(stores: Stores, *_: str) -> None:
    people.release(stores, _uuid(stores))


def _plan_erasure(stores: Stores, *_: str) -> None:
    assert erasure.plan(stores, _uuid(stores)).table.messages


def _erase(stores: Stores, *_: str) -> None:
    erasure.erase(stores, _uuid(stores), audit_path=Path("/nowhere/audit.jsonl"))


def _verify(stores: Stores, *_: str) -> None:
    assert integrity.check(stores.db, stores.table).summary.total


def _repair(stores: Stores, *_: str) -> None:
    repair(integrity.verification(stores.db, stores.table))


_ACTS: Mapping[str, Callable[[Stores, str, str], None]] = {
    "inbox opened": _read_inbox,
    "conversation opened": _read_conversation,
    "conversation exported": _export,
    "message groups opened": _read_all,
    "message groups downloaded": _read_all,
    "messages searched": _search,
    "users opened": _read_users,
    "Cognito users read": _read_pool,
    "message sent": _send,
    "message removed": _remove,
    "conversation started or continued": _start,
    "user created": _create,
    "user renamed": _rename,
    "user exported": _export_user,
    "user held": _hold,
    "user released": _release,
    "erasure planned": _plan_erasure,
    "user erased": _erase,
    "store verified": _verify,
    "store repaired": _repair,
}
