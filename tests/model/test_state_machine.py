"""Every guarantee after any interleaving, against an exact model of the table in memory.

Each step runs one operation of ours. Between any two of its requests another operation may run, or
a crash may end it, or a reply may be lost. The clock moves in any way. The stream is delivered
late, again, in any order, in batches of any size. Messages are removed; users are renamed, held and
erased.

:mod:`.test_on_an_engine` runs the same machine on real engines.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from unittest import mock

import botocore.exceptions
import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.dynamodb import keys, retries, table
from core.dynamodb.integrity.faults import FaultKind
from core.dynamodb.integrity.repairs import repair_fault
from core.dynamodb.integrity.verification import Verification
from core.dynamodb.items import message_item
from core.dynamodb.patterns import holds, sends
from core.dynamodb.patterns.erasing import close_erasure, erase_user
from core.dynamodb.patterns.removals import remove_message
from core.dynamodb.patterns.renames import rename_in_inboxes
from core.dynamodb.patterns.sends import Draft
from core.dynamodb.stream.handler import project
from core.errors import (
    HeldError,
    MemberErasedError,
    MessageRemovedError,
    MessageUnconfirmedError,
    StoreError,
)
from core.models import Message, Person
from core.targets import AwsTarget
from core.timestamps import parse, sort_key

from . import engine, memory
from .invariants import EVERY, View, When, broken, wrong_in_the_end

NAMES = ("ana", "ben", "cleo", "dora")
PEOPLE = [Person(f"{n}-uuid", name, name.title()) for n, name in enumerate(NAMES)]
PAIRS = [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (0, 3)]
STEPS = [1, 2, 1_000_000]
"""How much later than the newest message others put theirs, in microseconds."""
NOWHERE = AwsTarget("http://model", "us-east-1", placeholder_credentials=True)
MOST_ERASED = 2
"""How many users a run erases, of four: others must be left."""


class Crash(BaseException):
    """The process is killed between two requests."""


TROUBLES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("crash", "lost reply", "refused"),
                *("send", "plain write", "delivery", "removal", "rename", "hold", "erasure"),
            ]
        ),
        st.integers(0, 9),
        st.sampled_from(PAIRS),
    ),
    max_size=3,
)
"""The event at a request of an operation; from "send" on they are others' and come before it."""


class Store(RuleBasedStateMachine):
    """The table, all its writers, and what each sender knows."""

    def __init__(self) -> None:
        super().__init__()
        self.table = self.new_table()
        self.clock = datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC)
        self.acknowledged: dict[str, Message] = {}
        self.attempted: set[str] = set()
        self.refused: set[str] = set()
        self.unconfirmed: list[tuple[tuple[int, int], Draft]] = []
        self.removed: set[str] = set()
        self.known = {person.uuid: person for person in PEOPLE}  # in Postgres
        self.pairs: dict[str, list[Person]] = {}
        self.was_renamed = False
        self.held: dict[str, set[str]] = {}
        self.to_erase: list[str] = []
        self.erased: set[str] = set()
        self.strays: set[str] = set()
        self.texts: dict[str, str] = {}
        self.delivered = 0
        self.undelivered: list[dict] = []
        self.plain_writes = False
        self.count = 0
        self.uuids = 0
        self.lags = iter(())

    def new_table(self) -> memory.Table | engine.Table:
        return memory.Table()

    def open(self, before: Callable[[], None], after: Callable[[], None]) -> table.Table:
        """The table for one operation, ``before`` and ``after`` around each of its requests."""
        model = memory.Client(self.table, before=before, after=after, lag=self.lag)
        return table.Table(model, "messages", NOWHERE)

    @initialize(lags=st.lists(st.integers(0, memory.LAG), min_size=40, max_size=40))
    def index_may_lag(self, lags: list[int]) -> None:
        self.lags = iter(lags)

    def next_uuid(self) -> uuid.UUID:
        """Each run gets the same uuids in the same order, so that a failure can be repeated."""
        self.uuids += 1
        return uuid.UUID(int=self.uuids)

    def lag(self, most: int) -> int:
        return min(next(self.lags, 0), most)

    def handle(self, troubles: list) -> table.Table:
        """The table as one operation sees it, with its troubles by request."""
        place = iter(range(1_000))
        planned = {number: (kind, pair) for kind, number, pair in troubles}
        now: dict[str, object] = {}

        def before() -> None:
            now["trouble"], pair = planned.get(next(place), (None, (0, 0)))
            match now["trouble"]:
                case "crash":
                    raise Crash
                case "refused":
                    raise memory.refusal("ProvisionedThroughputExceededException", "Any")
                case "send":
                    self.send_quietly(pair)
                case "plain write" if self.groups():
                    self.write_plainly_into(sum(pair), bool(pair[0]), STEPS[pair[1] % len(STEPS)])
                case "delivery":
                    self.deliver_elsewhere()
                case "removal" if self.groups():
                    self.remove_quietly(sum(pair), pair[0])
                case "rename":
                    self.rename(pair[0], [])
                case "hold":
                    self.hold(pair[0], [])
                case "erasure" if self.may_erase(pair[0]):
                    self.erase(pair[0], [])

        def after() -> None:
            if now["trouble"] == "lost reply":
                raise botocore.exceptions.ConnectionClosedError(endpoint_url="http://model")

        return self.open(before, after)

    def draft(self, pair: tuple[int, int]) -> Draft:
        self.count += 1
        one, other = (self.known.get(PEOPLE[place].uuid, PEOPLE[place]) for place in pair)
        draft = Draft(one, other, f"text {self.count}")
        self.attempted.add(draft.message_uuid)
        self.texts[draft.message_uuid] = draft.text
        return draft

    def attempt(self, pair: tuple[int, int], draft: Draft, act: Callable[[], Message]) -> None:
        """Run one send; note what it promised."""
        try:
            message = act()
        except MessageUnconfirmedError as error:
            again = Draft(
                draft.sender, draft.recipient, draft.text, error.message_uuid, error.created_at
            )
            self.unconfirmed.append((pair, again))
        except MessageRemovedError:
            self.removed.add(draft.message_uuid)
        except MemberErasedError:
            if not draft.tried_from:
                self.refused.add(draft.message_uuid)
        except StoreError:
            self.refused.add(draft.message_uuid)
        except Crash:
            pass  # nothing was promised
        else:
            self.acknowledged[message.message_uuid] = message

    def send_quietly(self, pair: tuple[int, int]) -> None:
        draft = self.draft(pair)
        self.attempt(pair, draft, lambda: sends.start(self.handle([]), draft)[0])

    @rule(pair=st.sampled_from(PAIRS), troubles=TROUBLES)
    def start(self, pair: tuple[int, int], troubles: list) -> None:
        draft = self.draft(pair)
        self.attempt(pair, draft, lambda: sends.start(self.handle(troubles), draft)[0])

    @precondition(lambda self: self.groups())
    @rule(which=st.integers(0, 99), back=st.sampled_from([0, 0, 1, 2]), troubles=TROUBLES)
    def remove(self, which: int, back: int, troubles: list) -> None:
        """Remove the newest message of a conversation, or one a little ``back`` from there."""
        group = self.groups()[which % len(self.groups())]
        messages = sorted(self.messages(group), key=lambda message: message.sort_key)
        if not messages:  # only what an erased user wrote since
            return
        message = messages[-1 - back % len(messages)]
        try:
            remove_message(self.handle(troubles), message)
        except (Crash, StoreError, HeldError):
            return
        self.removed.add(message.message_uuid)

    def remove_quietly(self, which: int, back: int) -> None:
        self.remove(which, back, [])

    @precondition(lambda self: self.groups())
    @rule(which=st.integers(0, 99), turned=st.booleans(), troubles=TROUBLES)
    def send(self, which: int, turned: bool, troubles: list) -> None:
        group = self.groups()[which % len(self.groups())]
        if len(self.members(group)) < 2:
            return
        one, other = self.members(group)[:: -1 if turned else 1]
        pair = (PEOPLE.index(one), PEOPLE.index(other))
        draft = self.draft(pair)
        self.attempt(pair, draft, lambda: sends.send(self.handle(troubles), group, draft))

    @precondition(lambda self: self.unconfirmed)
    @rule(which=st.integers(0, 99), troubles=TROUBLES)
    def try_an_unconfirmed_one_again(self, which: int, troubles: list) -> None:
        pair, draft = self.unconfirmed.pop(which % len(self.unconfirmed))
        self.attempt(pair, draft, lambda: sends.start(self.handle(troubles), draft)[0])

    @rule(step=st.sampled_from([0, 0, 1, 3_000_000, -1, -31_536_000_000_000]))
    def move_the_clock(self, step: int) -> None:
        self.clock += timedelta(microseconds=step)

    @precondition(lambda self: self.groups())
    @rule(which=st.integers(0, 99), turned=st.booleans(), step=st.sampled_from(STEPS))
    def write_plainly(self, which: int, turned: bool, step: int) -> None:
        self.write_plainly_into(which, turned, step)

    def write_plainly_into(self, which: int, turned: bool, step: int) -> None:
        """Put a message alone, as Cruddur's code does: later than what is there."""
        group = self.groups()[which % len(self.groups())]
        sender = self.members(group)[-1 if turned else 0]
        self.count += 1
        newest = max(m.sort_key for m in self.view().messages if m.message_group_uuid == group)
        key = sort_key(parse(newest) + timedelta(microseconds=step))
        text = f"plain {self.count}"
        message = Message(group, f"plain-{self.count}", sender, text, key, parse(key))
        self.table.write({(f"MSG#{group}", key): message_item(message)})
        self.attempted.add(message.message_uuid)
        self.texts[message.message_uuid] = text
        self.acknowledged[message.message_uuid] = message
        self.plain_writes = True
        if sender.uuid in self.to_erase:  # Cruddur's app does not know
            self.strays.add(message.message_uuid)

    def deliver_elsewhere(self) -> None:
        """Another host has the whole stream delivered, and comes to its end."""
        project(self.handle([]), list(self.table.stream))

    @rule(size=st.integers(1, 10), shuffle=st.randoms(use_true_random=False), troubles=TROUBLES)
    def deliver(self, size: int, shuffle, troubles: list) -> None:
        """Deliver a batch of the stream; what fails or crashes is delivered again later."""
        fresh = self.table.stream[self.delivered : self.delivered + size]
        self.delivered += len(fresh)
        batch = [*self.undelivered, *fresh, *self.table.stream[: size // 2]]
        shuffle.shuffle(batch)
        self.undelivered = [*self.undelivered, *fresh]
        try:
            reply = project(self.handle(troubles), batch)
        except Crash:
            return
        if not reply["batchItemFailures"]:
            self.undelivered = []

    @rule(troubles=TROUBLES)
    def repair(self, troubles: list) -> None:
        handle = self.handle(troubles)
        try:
            for finding in Verification(handle, self.known_people).findings():
                repair_fault(handle, self.known_people, finding)
        except (Crash, StoreError):
            pass

    # The life of a user.

    def known_people(self, uuids: Iterable[str]) -> dict[str, Person]:
        return {uuid: self.known[uuid] for uuid in uuids if uuid in self.known}

    @rule(which=st.integers(0, 3), troubles=TROUBLES)
    def rename(self, which: int, troubles: list) -> None:
        """Postgres has new names first, then the inbox rows."""
        if (uuid := PEOPLE[which].uuid) not in self.known:
            return
        self.count += 1
        name = f"{NAMES[which]}{self.count}"
        self.known[uuid] = person = Person(uuid, name, name.title())
        self.was_renamed = True
        with suppress(Crash, StoreError):
            rename_in_inboxes(self.handle(troubles), person)

    @rule(which=st.integers(0, 3), troubles=TROUBLES)
    def hold(self, which: int, troubles: list) -> None:
        uuid = PEOPLE[which].uuid
        try:
            holds.hold(self.handle(troubles), uuid, "case 12")
        except MemberErasedError:
            assert uuid in self.to_erase
            return
        except (Crash, StoreError):
            return
        if (keys.HOLD_PK, uuid) in self.table.items:  # not released at once by another
            stored = [m.message_uuid for m in self.view().messages if m.sender.uuid == uuid]
            self.held.setdefault(uuid, set()).update(stored)

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 3), troubles=TROUBLES)
    def release(self, which: int, troubles: list) -> None:
        uuid = PEOPLE[which].uuid
        self.held.pop(uuid, None)
        with suppress(Crash, StoreError):
            holds.release(self.handle(troubles), uuid)
        if (keys.HOLD_PK, uuid) not in self.table.items:  # one that came meanwhile is released too
            self.held.pop(uuid, None)

    def may_erase(self, which: int) -> bool:
        uuid = PEOPLE[which].uuid
        return uuid in self.to_erase or len(self.to_erase) < MOST_ERASED

    @rule(which=st.integers(0, 3), troubles=TROUBLES)
    def erase(self, which: int, troubles: list) -> None:
        """Erase a user, or go on with what was interrupted; Postgres forgets the user last."""
        uuid = PEOPLE[which].uuid
        if not self.may_erase(which):
            return
        if uuid not in self.to_erase:
            self.to_erase.append(uuid)
        handle = self.handle(troubles)
        try:
            erase_user(handle, uuid)
            close_erasure(handle, uuid, {})
        except HeldError:
            assert (keys.HOLD_PK, uuid) in self.table.items or troubles
        except (Crash, StoreError):
            pass
        else:
            self.erased.add(uuid)
            self.known.pop(uuid, None)

    # The rules, and the data that they are checked on.

    def view(self) -> View:
        return View(
            self.table.items,
            {uuid: message.sort_key for uuid, message in self.acknowledged.items()},
            self.attempted,
            self.refused,
            removed=self.removed,
            erased=self.erased,
            texts=self.texts,
        )

    def messages(self, group: str) -> list[Message]:
        return self.view().messages_of(group)

    def groups(self) -> list[str]:
        return self.view().groups

    def members(self, group: str) -> list[Person]:
        """Both members, also where one was erased since."""
        view = self.view()
        uuids = view.members_of(group)
        people = [person for person in PEOPLE if person.uuid in uuids]
        return people if group not in view.erasures else self.pairs.get(group, people)

    @invariant()
    def note_the_members(self) -> None:
        for group in set(self.groups()) - set(self.pairs):
            if len(members := self.members(group)) == 2:
                self.pairs[group] = members

    @invariant()
    def what_must_always_hold_does(self) -> None:
        assert broken(self.view(), When.ALWAYS, When.ROWS_STAY) == []

    @invariant()
    def what_must_hold_where_only_ours_write_does(self) -> None:
        if self.plain_writes or self.undelivered:
            return  # then only when the stream has been delivered: see teardown
        assert broken(self.view(), When.ONLY_OURS) == []

    @invariant()
    def nothing_of_an_erased_user_is_left(self) -> None:
        """Except for what Cruddur's app has let them write since: that is in no inbox either."""
        texts = self.texts_of_erased()
        for (pk, sk), item in self.table.items.items():
            if item.get("message_uuid", {}).get("S") in self.strays:
                continue
            words = {*pk.split("#"), *(value.get("S") for value in item.values())}
            assert not words & (self.erased | texts), f"{pk} {sk} has {words}"

    def texts_of_erased(self) -> set[str]:
        """The texts of erased users' messages that a sender knows to be stored."""
        sent = self.acknowledged.values()
        return {message.text for message in sent if message.sender.uuid in self.erased}

    @invariant()
    def a_held_user_s_messages_stay(self) -> None:
        stored = {message.message_uuid for message in self.view().messages}
        for user, kept in self.held.items():
            assert kept <= stored, f"{user} is held, and {kept - stored} is gone"

    def teardown(self) -> None:
        """After the whole stream has been delivered, no rule is broken.

        What was interrupted is done again first: an erasure, and a repair of a name that a writer
        had read before the rename.
        """
        self.lags = iter(())
        rest = [*self.undelivered, *self.table.stream[self.delivered :]]
        assert project(self.handle([]), rest) == {"batchItemFailures": []}
        self.end_the_erasures()
        self.correct_the_names()
        assert broken(self.view(), *EVERY) == []
        delivered = [record["dynamodb"].get("NewImage", {}) for record in self.table.stream]
        delivered = [item for item in delivered if item and item["pk"]["S"][:4] == "MSG#"]
        assert (
            wrong_in_the_end(
                self.handle([]), self.known_people, lambda: self.table.items, delivered=delivered
            )
            == []
        )

    def end_the_erasures(self) -> None:
        handle = self.handle([])
        for user in self.to_erase:
            holds.release(handle, user)
            self.held.pop(user, None)
            erase_user(handle, user)
            close_erasure(handle, user, {})
            self.known.pop(user, None)
            self.erased.add(user)
        self.strays.clear()
        self.nothing_of_an_erased_user_is_left()

    def correct_the_names(self) -> None:
        if not self.was_renamed:
            return
        handle = self.handle([])
        for finding in Verification(handle, self.known_people).findings():
            assert finding.kind is FaultKind.NAME_DIFFERS, finding
            repair_fault(handle, self.known_people, finding)


class NoPause(retries.Backoff):
    """Tries a few times, without waiting."""

    def __init__(self) -> None:
        self.left = 6

    def pause(self) -> bool:
        self.left -= 1
        return self.left > 0


@contextmanager
def in_charge_of(machines: list[Store]) -> Iterator[None]:
    """The last of ``machines`` gives the time and the uuids, and there are no waits."""
    with (
        mock.patch("core.dynamodb.patterns.sends.now", side_effect=lambda: machines[-1].clock),
        mock.patch(
            "core.dynamodb.patterns.sends.uuid", mock.Mock(uuid4=lambda: machines[-1].next_uuid())
        ),
        mock.patch("core.dynamodb.patterns.sends.Backoff", NoPause),
        mock.patch("core.dynamodb.patterns.row_moves.Backoff", NoPause),
        mock.patch("core.dynamodb.patterns.removals.Backoff", NoPause),
        mock.patch("core.dynamodb.patterns.removals.now", side_effect=lambda: machines[-1].clock),
        mock.patch("core.dynamodb.patterns.renames.Backoff", NoPause),
        mock.patch("core.dynamodb.patterns.holds.Backoff", NoPause),
        mock.patch("core.dynamodb.patterns.holds.now", side_effect=lambda: machines[-1].clock),
        mock.patch("core.dynamodb.patterns.erasing.Backoff", NoPause),
        mock.patch("core.dynamodb.patterns.erasing.now", side_effect=lambda: machines[-1].clock),
        mock.patch(
            "core.dynamodb.patterns.erasing.uuid", mock.Mock(uuid4=lambda: machines[-1].next_uuid())
        ),
    ):
        yield


def run(examples: int, steps: int, store: type[Store] = Store) -> None:
    machines: list[Store] = []

    class Watched(store):
        def __init__(self) -> None:
            super().__init__()
            machines.append(self)

    with in_charge_of(machines):
        run_state_machine_as_test(
            Watched,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_a_row_that_moved_to_the_key_of_a_newer_message_follows_it() -> None:
    """Found by the machine: the row's time was the newer message's, its text the older one's."""
    store = Store()
    with in_charge_of([store]):
        for pair in ((0, 1), (0, 2), (0, 1)):  # a microsecond apart, two of them in Ana's inbox
            store.start(pair=pair, troubles=[])
        store.write_plainly(which=0, turned=False, step=1)
        store.teardown()


def test_a_hold_that_comes_during_a_release_is_released() -> None:
    """Found by the machine, which went on as if the user were held."""
    store = Store()
    with in_charge_of([store]):
        store.start(pair=(0, 1), troubles=[])
        store.hold(which=0, troubles=[])
        store.release(which=0, troubles=[("hold", 0, (0, 1))])
        store.remove(which=0, back=0, troubles=[])
        assert store.removed
        store.a_held_user_s_messages_stay()
        store.teardown()


def test_the_guarantees_hold_after_any_interleaving(examples) -> None:
    run(examples=examples(150), steps=30)


@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_the_guarantees_hold_after_any_interleaving_in_depth() -> None:
    run(examples=2000, steps=50)
