"""The door: what is asked before a store is opened, what is written down, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.access import Action, Actor, AuditLog, Door, Grant, Store
from core.errors import (
    AuditError,
    InputError,
    NotPermittedError,
    StoreError,
    TargetRefusedError,
    UnreachableError,
)
from core.purposes import Purpose
from core.settings import Settings
from core.targets import StoreState, resolve

LOCAL = StoreState("messages", "local", holds_data=False)
PRODUCTION = StoreState("messages", "production", holds_data=False)
STAGING = StoreState("messages", "staging", holds_data=False)
UNMARKED = StoreState("messages", None, holds_data=True)
EMPTY = StoreState("messages", None, holds_data=False)
NAMED = {Purpose.WRITING, Purpose.DESTROYING}


@dataclass
class Asked:
    """A visitor who answers as a test says, and records the questions."""

    typed_name: str | None = None
    answer: str | None = None
    reason: str = ""
    names_are_typed_for: Collection[Purpose] = (Purpose.WRITING, Purpose.DESTROYING)
    permission_error: Exception | None = None
    questions: list[str] = field(default_factory=list)
    actor: Actor = field(default_factory=lambda: Actor(uid=7, user="op", host="h"))

    def require_permission(self, action: Action, *, is_production: bool) -> None:
        self.questions.append(f"permission {'production' if is_production else 'local'}")
        if self.permission_error:
            raise self.permission_error

    def type_name(self, action: Action, name: str, why: str) -> str | None:
        self.questions.append(f"name {name}")
        return self.answer

    def give_reason(self, action: Action, why: str) -> str:
        self.questions.append("reason")
        return self.reason


class Marked(Door):
    """A door whose stores have the markers of a test, without connections."""

    def __init__(self, folder: Path, states: Mapping[Store, StoreState], **options: Any) -> None:
        settings = Settings(
            connection_url="postgresql://op@127.0.0.1:1/cruddur",
            endpoint_url="http://127.0.0.1:2",
            prod_connection_url="postgresql://op@db.example.com:1/cruddur",
            table_name="messages",
            targets_file=str(folder / "targets.toml"),
        )
        (folder / "targets.toml").write_text(
            '[staging]\nconnection_url = "postgresql://op@db.example.com:1/cruddur"\n'
            'table = "messages"\n'
        )
        prod, name = options.pop("prod", False), options.pop("name", "")
        target = resolve(settings, prod=prod, name=name)
        super().__init__(target, AuditLog(folder / "audit.jsonl"), **options)
        self.states = dict(states)
        self.looks: list[Store] = []
        self.were_quick: list[bool] = []

    def _read_state(self, store: Store, *, quick: bool) -> StoreState:
        self.looks.append(store)
        self.were_quick.append(quick)
        state = self.states[store]
        if isinstance(state, Exception):
            raise state
        return state

    def _refuse_several_hosts(self, action: Action) -> None:
        """There is no connection here; the tests with engines check it."""

    @property
    def audited(self) -> list[dict[str, Any]]:
        if not self.audit.path.exists():
            return []
        return [json.loads(line) for line in self.audit.path.read_text().splitlines()]


@pytest.fixture
def marked(tmp_path: Path):
    def make(dynamodb: Any = LOCAL, postgres: Any = LOCAL, **options: Any) -> Marked:
        states = {Store.DYNAMODB: dynamodb, Store.POSTGRES: postgres}
        return Marked(tmp_path, states, **options)

    return make


def table_for(purpose: Purpose) -> Action:
    return Action("ddb.test", {Store.DYNAMODB: purpose})


def database_for(purpose: Purpose) -> Action:
    return Action("db.test", {Store.POSTGRES: purpose}, confirmed_by=Store.POSTGRES)


COUNTING_AS_PRODUCTION = [
    pytest.param({"prod": True}, id="prod"),
    pytest.param({"prod": True, "dynamodb": EMPTY}, id="prod, empty"),
    pytest.param({"dynamodb": PRODUCTION}, id="marked production"),
    pytest.param({"dynamodb": STAGING}, id="marked with another word"),
    pytest.param({"dynamodb": UNMARKED}, id="data without a marker"),
]


class TestALocalStore:
    @pytest.mark.parametrize("state", [LOCAL, EMPTY])
    @pytest.mark.parametrize("purpose", Purpose)
    def test_is_opened_without_a_question_or_a_line(self, marked, state, purpose, capsys) -> None:
        door, visitor = marked(state), Asked()
        grant = door.admit(table_for(purpose), visitor)
        assert not grant.is_production
        assert visitor.questions == ["permission local"]
        assert door.audited == []
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("typed", ["", "Messages", "messages ", "cruddur", "production"])
    @pytest.mark.parametrize("purpose", Purpose)
    def test_is_kept_when_another_name_is_typed(self, marked, purpose, typed) -> None:
        with pytest.raises(TargetRefusedError, match="It is messages"):
            marked().admit(table_for(purpose), Asked(typed_name=typed))

    def test_may_be_confirmed_anyway(self, marked) -> None:
        marked().admit(table_for(Purpose.DESTROYING), Asked(typed_name="messages"))


@pytest.mark.parametrize("states", COUNTING_AS_PRODUCTION)
class TestAStoreThatCountsAsProduction:
    def test_is_looked_at_without_a_question_or_a_line(self, marked, states) -> None:
        for purpose in (Purpose.LOOKING, Purpose.VERIFYING):
            door, visitor = marked(**states), Asked()
            door.admit(table_for(purpose), visitor)
            assert len(visitor.questions) == 1  # whether this person may
            assert door.audited == []

    def test_is_made_without_a_question_and_with_a_line(self, marked, states) -> None:
        door, visitor = marked(**states), Asked()
        assert door.admit(table_for(Purpose.MAKING), visitor).is_production
        assert visitor.questions == ["permission production"]
        assert [line["purpose"] for line in door.audited] == ["making"]

    @pytest.mark.parametrize("purpose", sorted(NAMED))
    @pytest.mark.parametrize("how", [{"typed_name": "messages"}, {"answer": "messages"}])
    def test_is_changed_once_its_name_is_typed(self, marked, states, purpose, how) -> None:
        door = marked(**states)
        grant = door.admit(table_for(purpose), Asked(**how))
        assert grant.is_production
        assert [line["purpose"] for line in door.audited] == [purpose]

    @pytest.mark.parametrize("purpose", sorted(NAMED))
    @pytest.mark.parametrize("answer", [None, "", "Messages", "yes", "messages ", "cruddur"])
    def test_is_not_changed_without_its_name(self, marked, states, purpose, answer) -> None:
        door = marked(**states)
        with pytest.raises(TargetRefusedError, match="--confirm messages"):
            door.admit(table_for(purpose), Asked(answer=answer))
        assert door.audited == []

    def test_takes_no_reason_for_a_name_and_no_name_for_a_reason(self, marked, states) -> None:
        for purpose in sorted(NAMED):
            with pytest.raises(TargetRefusedError):
                marked(**states).admit(table_for(purpose), Asked(reason="support"))
        with pytest.raises(TargetRefusedError):
            marked(**states).admit(table_for(Purpose.READING), Asked(typed_name="messages"))

    def test_is_read_for_a_reason(self, marked, states) -> None:
        door = marked(**states)
        grant = door.admit(
            table_for(Purpose.READING), Asked(reason=" a\n complaint "), about=["uuid-1"]
        )
        assert grant.reason == "a complaint"
        (line,) = door.audited
        assert (line["why"], line["about"], line["purpose"]) == (
            "a complaint",
            ["uuid-1"],
            "reading",
        )

    @pytest.mark.parametrize("reason", ["", " ", "\n\t"])
    def test_is_not_read_without_one(self, marked, states, reason) -> None:
        door = marked(**states)
        with pytest.raises(TargetRefusedError, match="--reason"):
            door.admit(table_for(Purpose.READING), Asked(reason=reason))
        assert door.audited == []

    def test_gets_no_line_for_a_dry_change_and_asks_for_no_name(self, marked, states) -> None:
        for purpose in (Purpose.MAKING, Purpose.DESTROYING):
            door, visitor = marked(**states, dry=print), Asked()
            assert door.admit(table_for(purpose), visitor).is_production
            assert visitor.questions == ["permission production"]
            assert door.audited == []

    @pytest.mark.parametrize("purpose", [Purpose.READING, Purpose.WRITING])
    def test_is_read_in_a_dry_run_for_a_reason_and_with_a_line(
        self, marked, states, purpose
    ) -> None:
        with pytest.raises(TargetRefusedError):
            marked(**states, dry=print).admit(table_for(purpose), Asked())
        door, visitor = marked(**states, dry=print), Asked(reason="why")
        door.admit(table_for(purpose), visitor)
        assert visitor.questions == ["permission production", "reason"]
        (line,) = door.audited
        assert (line["purpose"], line["why"]) == ("reading", "why")

    def test_is_refused_another_name_in_a_dry_run(self, marked, states) -> None:
        with pytest.raises(TargetRefusedError):
            marked(**states, dry=print).admit(
                table_for(Purpose.DESTROYING), Asked(typed_name="other")
            )

    @pytest.mark.parametrize("purpose", [Purpose.MAKING, Purpose.READING, *sorted(NAMED)])
    def test_is_left_alone_where_the_line_cannot_be_written(
        self, marked, states, purpose, monkeypatch
    ) -> None:
        door = marked(**states)
        monkeypatch.setattr(door, "audit", AuditLog(Path("/dev/full")))
        with pytest.raises(AuditError, match="No space left"):
            door.admit(table_for(purpose), Asked(answer="messages", reason="why"))

    def test_is_not_opened_without_permission(self, marked, states) -> None:
        for purpose in Purpose:
            door = marked(**states)
            visitor = Asked(answer="messages", reason="why", permission_error=StoreError("no"))
            with pytest.raises(StoreError):
                door.admit(table_for(purpose), visitor)
            assert door.audited == []
            assert len(visitor.questions) == 1


class TestTheNameThatIsTyped:
    def test_is_the_tables_for_the_message_store_whichever_store_counts(self, marked) -> None:
        action = Action("a", {Store.POSTGRES: Purpose.READING, Store.DYNAMODB: Purpose.WRITING})
        for states in ({"postgres": PRODUCTION}, {"dynamodb": PRODUCTION}):
            marked(**states).admit(action, Asked(answer="messages"))
            with pytest.raises(TargetRefusedError, match="--confirm messages"):
                marked(**states).admit(action, Asked(answer="cruddur"))

    def test_is_the_databases_for_the_users(self, marked) -> None:
        action = database_for(Purpose.WRITING)
        marked(postgres=PRODUCTION).admit(action, Asked(answer="cruddur"))
        with pytest.raises(TargetRefusedError, match="--confirm cruddur"):
            marked(postgres=PRODUCTION).admit(action, Asked(answer="messages"))

    def test_is_asked_for_the_strictest_of_the_purposes(self, marked) -> None:
        action = Action("a", {Store.POSTGRES: Purpose.READING, Store.DYNAMODB: Purpose.DESTROYING})
        with pytest.raises(TargetRefusedError, match="--confirm"):
            marked(prod=True).admit(action, Asked(reason="why"))

    def test_is_asked_only_for_what_this_visitor_types_it_for(self, marked) -> None:
        visitor = Asked(names_are_typed_for=(Purpose.DESTROYING,))
        marked(prod=True).admit(table_for(Purpose.WRITING), visitor)
        assert visitor.questions == ["permission production"]


class TestWhatCountsAsProduction:
    def test_one_store_is_enough(self, marked) -> None:
        both = Action("a", dict.fromkeys((Store.POSTGRES, Store.DYNAMODB), Purpose.READING))
        for states in ({"postgres": PRODUCTION}, {"dynamodb": PRODUCTION}):
            with pytest.raises(TargetRefusedError):
                marked(**states).admit(both, Asked())

    def test_a_store_that_is_not_opened_is_not_asked(self, marked) -> None:
        door = marked(postgres=UnreachableError("down"))
        door.admit(table_for(Purpose.DESTROYING), Asked())
        assert door.looks == [Store.DYNAMODB]

    def test_a_store_that_is_only_looked_at_is_not_asked(self, marked) -> None:
        action = Action("a", {Store.POSTGRES: Purpose.LOOKING, Store.DYNAMODB: Purpose.WRITING})
        door = marked(postgres=PRODUCTION)
        assert not door.admit(action, Asked()).is_production
        assert door.looks == [Store.DYNAMODB]

    def test_a_store_that_another_task_of_the_run_opens_is_asked(self, marked) -> None:
        door = marked(postgres=PRODUCTION, checks=[Store.POSTGRES])
        assert door.admit(table_for(Purpose.MAKING), Asked()).is_production
        later = marked(postgres=PRODUCTION)
        later.also_check([Store.POSTGRES])
        assert later.admit(table_for(Purpose.MAKING), Asked()).is_production

    def test_a_store_that_cannot_be_asked_stops_it(self, marked) -> None:
        for purpose in set(Purpose) - {Purpose.LOOKING}:
            with pytest.raises(UnreachableError):
                marked(UnreachableError("down")).admit(table_for(purpose), Asked())

    def test_a_production_store_stays_production(self, marked) -> None:
        door = marked(PRODUCTION)
        door.admit(table_for(Purpose.MAKING), Asked())
        door.states[Store.DYNAMODB] = LOCAL
        with pytest.raises(TargetRefusedError):
            door.admit(table_for(Purpose.WRITING), Asked())
        assert door.admit(database_for(Purpose.MAKING), Asked()).is_production

    def test_for_a_reading_it_is_trusted_for_a_while(self, marked) -> None:
        door = marked(LOCAL, trust_s=3600)
        door.admit(table_for(Purpose.READING), Asked())
        door.states[Store.DYNAMODB] = PRODUCTION
        assert not door.admit(table_for(Purpose.READING), Asked()).is_production

    @pytest.mark.parametrize("purpose", [Purpose.MAKING, *sorted(NAMED)])
    def test_before_a_change_the_marker_is_read_again(self, marked, purpose) -> None:
        door = marked(LOCAL, trust_s=3600)
        door.admit(table_for(Purpose.READING), Asked())
        door.states[Store.DYNAMODB] = PRODUCTION
        assert door.admit(table_for(purpose), Asked(answer="messages")).is_production

    @pytest.mark.parametrize("purpose", [Purpose.READING, Purpose.WRITING])
    def test_an_action_has_patience_with_a_slow_store(self, marked, purpose) -> None:
        for door in (marked(LOCAL), marked(PRODUCTION, prod=True)):
            door.admit(table_for(purpose), Asked(answer="messages", reason="ticket 7"))
            assert door.were_quick
            assert not any(door.were_quick)

    def test_a_page_may_ask_quickly(self, marked) -> None:
        door = marked(LOCAL)
        door.why_production([Store.DYNAMODB], refresh=False, quick=True)
        assert door.were_quick == [True]

    def test_without_trust_the_marker_is_read_for_every_reading(self, marked) -> None:
        door = marked(LOCAL)
        door.admit(table_for(Purpose.READING), Asked())
        door.states[Store.DYNAMODB] = PRODUCTION
        with pytest.raises(TargetRefusedError):
            door.admit(table_for(Purpose.READING), Asked())


class TestARecreatedStore:
    @pytest.mark.parametrize(
        ("state", "environment"),
        [
            (PRODUCTION, "production"),
            (STAGING, "staging"),
            (UNMARKED, "production"),
            (LOCAL, "local"),
            (EMPTY, "local"),
        ],
    )
    def test_keeps_the_environment_it_had(self, marked, state, environment) -> None:
        door = marked(state)
        door.admit(table_for(Purpose.DESTROYING), Asked(answer="messages"))
        door.states[Store.DYNAMODB] = EMPTY  # dropped
        door.admit(table_for(Purpose.MAKING), Asked())
        assert door.environment_of(Store.DYNAMODB) == environment

    def test_is_what_was_asked_for_where_nothing_was_there(self, marked) -> None:
        door = marked(EMPTY, prod=True)
        door.admit(table_for(Purpose.MAKING), Asked())
        assert door.environment_of(Store.DYNAMODB) == "production"


class TestATargetOfAnotherName:
    """``--target staging``: it counts as production, and opens no store of another environment."""

    @pytest.mark.parametrize("state", [EMPTY, UNMARKED, LOCAL, STAGING])
    def test_opens_its_own_stores_as_production(self, marked, state) -> None:
        grant = marked(state, name="staging").admit(
            table_for(Purpose.WRITING), Asked(answer="messages")
        )
        assert grant.is_production

    @pytest.mark.parametrize("purpose", sorted(set(Purpose) - {Purpose.LOOKING}))
    @pytest.mark.parametrize("dry", [None, print])
    def test_opens_no_store_of_another_environment(self, marked, purpose, dry) -> None:
        door = marked(PRODUCTION, name="staging", dry=dry)
        visitor = Asked(typed_name="messages", reason="why", answer="messages")
        with pytest.raises(TargetRefusedError, match="'production', not 'staging'"):
            door.admit(table_for(purpose), visitor)
        assert visitor.questions == []
        assert door.audited == []

    def test_is_production_no_more_than_another_one_is(self, marked) -> None:
        door = marked(STAGING, prod=True)
        with pytest.raises(TargetRefusedError, match="'staging', not 'production'"):
            door.admit(table_for(Purpose.READING), Asked(reason="why"))

    def test_looks_at_any_store(self, marked) -> None:
        marked(PRODUCTION, name="staging").admit(table_for(Purpose.LOOKING), Asked())

    def test_marks_a_store_with_its_own_environment(self, marked) -> None:
        for state in (EMPTY, UNMARKED):
            door = marked(state, name="staging")
            door.admit(table_for(Purpose.WRITING), Asked(answer="messages"))
            assert door.environment_of(Store.DYNAMODB) == "staging"

    def test_is_named_in_the_audit(self, marked) -> None:
        door = marked(name="staging")
        door.admit(table_for(Purpose.READING), Asked(reason="why"))
        assert door.audited[0]["target"] == "staging"


class TestTheAuditLine:
    def test_names_who_where_what_and_about_whom(self, marked, capsys) -> None:
        door = marked(dynamodb=PRODUCTION)
        door.admit(
            table_for(Purpose.WRITING),
            Asked(answer="messages"),
            about=["u1", "u2"],
            conversation="c",
        )
        (line,) = door.audited
        assert line.pop("at").endswith("+00:00")
        assert line == {
            "actor": {"uid": 7, "user": "op", "host": "h"},
            "target": "local",
            "stores": {"dynamodb": "DynamoDB table messages at http://127.0.0.1:2 (us-east-1)"},
            "what": "ddb.test",
            "purpose": "writing",
            "about": ["u1", "u2"],
            "conversation": "c",
        }
        shown = capsys.readouterr().err
        assert shown == f"audit {door.audit.path.read_text()}"

    def test_shows_no_password(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr(Door, "_read_state", lambda *_, **__: EMPTY)
        settings = Settings(prod_connection_url="postgresql://op:hunter2@127.0.0.1:1/cruddur")
        door = Door(resolve(settings, prod=True), AuditLog(tmp_path / "a"))
        door.admit(database_for(Purpose.MAKING), Asked())
        assert "hunter2" not in (tmp_path / "a").read_text()

    @pytest.mark.parametrize(
        "error", [StoreError("down"), OSError(28, "full"), KeyboardInterrupt()]
    )
    def test_of_what_failed_is_followed_by_one_with_its_outcome(self, marked, error) -> None:
        door = marked(PRODUCTION)
        grant = door.admit(table_for(Purpose.WRITING), Asked(answer="messages"))
        with pytest.raises(type(error)), door.open(grant):
            raise error
        first, second = door.audited
        assert "outcome" not in first
        assert second["outcome"] == f"failed: {type(error).__name__}"
        assert second["what"] == first["what"]

    def test_of_what_succeeded_is_followed_by_none(self, marked) -> None:
        door = marked(PRODUCTION)
        with door.open(door.admit(table_for(Purpose.WRITING), Asked(answer="messages"))):
            pass
        assert len(door.audited) == 1


class TestAGrant:
    def test_opens_no_store_that_its_action_does_not_name(self, marked) -> None:
        stores = marked().open(Grant(table_for(Purpose.DESTROYING)))
        with stores as opened:
            for name in ("db", "aws"):
                with pytest.raises(NotPermittedError):
                    getattr(opened, name)

    def test_opens_a_table_for_its_purpose_alone(self, marked) -> None:
        with marked().open(Grant(table_for(Purpose.READING))) as opened:
            assert opened.table.purpose is Purpose.READING
            with pytest.raises(NotPermittedError):
                opened.table.request("delete_item", Key={})

    def test_opens_a_table_on_the_connections_of_the_others(self, marked) -> None:
        """On AWS each client begins with a handshake: the one that read the marker is enough."""
        door = marked()
        looking = door.look().table
        with door.open(Grant(table_for(Purpose.WRITING))) as opened:
            assert opened.table.client is looking.client
            assert opened.table.capacity is not looking.capacity

    def test_opens_a_database_for_its_purpose_alone(self, marked) -> None:
        door = marked(prod=True)
        with door.open(Grant(database_for(Purpose.READING), is_production=True)) as opened:
            assert opened.db.purpose is Purpose.READING
            with pytest.raises(NotPermittedError):
                opened.db.query_commit("DELETE FROM public.users")

    def test_for_looking_takes_no_look_at_a_marker(self, marked) -> None:
        door = marked(PRODUCTION, PRODUCTION)
        assert door.look().grant.action.purpose is Purpose.LOOKING
        assert door.looks == []


@pytest.mark.parametrize(
    "url",
    ["postgresql://op@a,b/cruddur", "postgresql://op@/cruddur?host=a,b", "postgresql://a:1,b:2/c"],
)
def test_a_url_of_several_hosts_is_refused_for_destroying(url: str, tmp_path: Path) -> None:
    for prod in (True, False):
        variable = "PROD_CONNECTION_URL" if prod else "CONNECTION_URL"
        settings = Settings.from_env({variable: url}, Path("/nonexistent/.env"))
        door = Door(resolve(settings, prod=prod), AuditLog(tmp_path / "a"))
        name = door.target.postgres.dbname
        with pytest.raises(InputError, match=f"^{variable} names several hosts"):
            door.admit(database_for(Purpose.DESTROYING), Asked(typed_name=name))


class TestAnAction:
    def test_narrowed_opens_no_store_for_more(self) -> None:
        action = Action("a", {Store.POSTGRES: Purpose.READING, Store.DYNAMODB: Purpose.DESTROYING})
        assert action.narrowed(Purpose.VERIFYING).opens == {
            Store.POSTGRES: Purpose.VERIFYING,
            Store.DYNAMODB: Purpose.VERIFYING,
        }

    @pytest.mark.parametrize("purpose", Purpose)
    @pytest.mark.parametrize("other", Purpose)
    def test_narrowed_is_always_covered(self, purpose: Purpose, other: Purpose) -> None:
        action = table_for(other)
        assert action.covers(action.narrowed(purpose))

    def test_does_not_cover_another_store_or_more(self) -> None:
        action = table_for(Purpose.WRITING)
        assert not action.covers(table_for(Purpose.DESTROYING))
        assert not action.covers(database_for(Purpose.LOOKING))
        assert action.covers(table_for(Purpose.MAKING))
        assert not table_for(Purpose.READING).covers(table_for(Purpose.MAKING))
