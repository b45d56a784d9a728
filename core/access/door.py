"""Opens the stores of one target: marker, confirmation, audit line, handles."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from core.access.actions import Action, Store
from core.access.audit import AuditEntry, AuditLog, timestamp
from core.access.grants import Grant, Visitor
from core.commands import option
from core.errors import CoreError, InputError, MissingTableError, TargetRefusedError
from core.purposes import Purpose
from core.targets import (
    Environment,
    StoreState,
    Target,
    other_environment,
    why_production,
)

if TYPE_CHECKING:  # a task that opens one store does not load the other's driver
    from core.aws import AwsServices
    from core.dynamodb import Table
    from core.postgres import Database, Queries

DrySink = Callable[[str], None]

_LOOK = Action("look", dict.fromkeys(Store, Purpose.LOOKING))


def _refusal(action: Action) -> str:
    """The beginning of an error. A task is named: a command line may have several."""
    is_task = " " not in action.name
    return f"Refused {action.name}" if is_task else "Refused"


class Door:
    """The stores of one target. Safe to share between threads.

    ``checks`` are stores whose marker counts for every action. A marker that was read is trusted
    for ``trust_s`` before a read; before a change it is read again. Once one store counts as
    production, all do, as long as the door exists. With ``dry``, changes are passed to it as text
    and not made.
    """

    def __init__(
        self,
        target: Target,
        audit: AuditLog,
        *,
        dry: DrySink | None = None,
        checks: Iterable[Store] = (),
        trust_s: float = 0.0,
    ) -> None:
        self.target = target
        self.audit = audit
        self._dry = dry
        self._checks = frozenset(checks)
        self._trust_s = trust_s
        self._lock = threading.RLock()
        self._states: dict[Store, tuple[StoreState, float]] = {}
        self._first_environments: dict[Store, str] = {}
        self._why = f"it is the {target.name} target" if target.is_production else ""
        self._connections: Database | None = None
        self._tables: dict[bool, Table] = {}  # by whether they try only once

    # What counts as production

    def also_check(self, stores: Iterable[Store]) -> None:
        """Make the markers of ``stores`` count for every action from now on."""
        self._checks |= frozenset(stores)

    def why_production(
        self,
        stores: Iterable[Store] = (),
        *,
        refresh: bool = True,
        quick: bool = False,
        answering: bool = False,
    ) -> str:
        """Why this target counts as production; empty if it does not.

        Reads the markers of ``stores`` and of those that are always checked; ``quick``: with one
        try and a timeout of seconds. With ``answering``, a store that does not answer is ignored:
        none of its data can be shown either.
        """
        with self._lock:
            for store in () if self._why else sorted(self._checks | set(stores)):
                try:
                    state = self._state(store, refresh=refresh, quick=quick)
                except CoreError:
                    if not answering:
                        raise
                    continue
                self._why = self._why or why_production(state) or ""
            return self._why

    def environment_of(self, store: Store) -> str:
        """The environment to mark a recreated store with.

        A store keeps the environment it had when this door first read it. One that had data but no
        marker counts as production and stays so.
        """
        with self._lock:
            kept = self._first_environments.get(store)
        return kept or str(self.target.environment)

    def read_state(self, store: Store) -> StoreState:
        """The store's current marker, or whether it has data."""
        with self._lock:
            return self._state(store, refresh=True)

    def _state(self, store: Store, *, refresh: bool, quick: bool = False) -> StoreState:
        known = self._states.get(store)
        if known and not refresh and time.monotonic() - known[1] < self._trust_s:
            return known[0]
        state = self._read_state(store, quick=quick)
        self._states[store] = state, time.monotonic()
        if state.environment is not None or state.holds_data:
            ours = self.target.environment if self.target.is_production else Environment.PRODUCTION
            environment = state.environment or str(ours)
            self._first_environments.setdefault(store, environment)
        return state

    def _read_state(self, store: Store, *, quick: bool) -> StoreState:
        if store is Store.DYNAMODB:
            from core import dynamodb

            return dynamodb.read_state(self._table(quick=quick))
        from core import postgres

        return postgres.read_state(self._database(Purpose.LOOKING))

    # Asking

    def look(self) -> Stores:
        """Both stores, opened for looking, which needs no confirmation."""
        return Stores(self, Grant(_LOOK))

    def look_quickly(self) -> Stores:
        """Both stores for looking, with one try and a timeout of seconds."""
        return Stores(self, Grant(_LOOK), quick=True)

    def admit(
        self,
        action: Action,
        visitor: Visitor,
        *,
        about: Iterable[str] = (),
        conversation: str = "",
        message: str = "",
    ) -> Grant:
        """The permission for ``action``, after asking what it needs and writing its audit line.

        ``about`` are the uuids of the users whose data it is; ``conversation`` and ``message`` are
        ids as well.

        Raises:
            TargetRefusedError: the name or the reason is missing, or the name is wrong, or a store
                is marked with another environment than the target's.
            AuditError: the line could not be written.
        """
        purpose = action.purpose
        self._refuse_several_hosts(action)
        self._refuse_another_environment(action)
        if purpose is Purpose.LOOKING:
            why = self._why
        else:
            refresh = purpose.changes_stores
            why = self.why_production(action.checked_stores, refresh=refresh)
        visitor.require_permission(action, is_production=bool(why))
        if visitor.typed_name is not None:
            self.refuse_another_name(action, visitor.typed_name)
        grant = Grant(action, bool(why), tuple(about), conversation, message, actor=visitor.actor)
        if self._takes_name(action, visitor, is_production=bool(why)):
            self._require_name(action, visitor, why)
        only_reads = self._only_reads(action)
        if action.asks_reason or (grant.is_audited and only_reads):
            grant = replace(grant, reason=self._reason(action, visitor, why))
        if not grant.is_audited:
            return grant
        if self._dry is None or only_reads:
            self.audit.write(self._entry(grant))
        return grant

    def _only_reads(self, action: Action) -> bool:
        """Whether users' data is read and nothing else: a dry run reads before it would write."""
        if self._dry is None:
            return action.purpose is Purpose.READING
        return not {Purpose.READING, Purpose.WRITING}.isdisjoint(action.opens.values())

    def _takes_name(self, action: Action, visitor: Visitor, *, is_production: bool) -> bool:
        if self._dry is not None:
            return False
        by_purpose = is_production and action.purpose in visitor.names_are_typed_for
        return action.asks_everywhere or by_purpose

    def name_of(self, action: Action) -> str:
        """The name that is typed for ``action``: the database's or the table's."""
        if action.confirmed_by is Store.POSTGRES:
            return self.target.postgres.dbname
        return self.target.table_name

    def refuse_another_name(self, action: Action, typed: str) -> None:
        """Refuse a typed name that is not the name of ``action``'s store, on every target."""
        if typed != (name := self.name_of(action)):
            raise TargetRefusedError(
                f"{_refusal(action)}: {typed!r} is not the name of the {action.confirmed_by.kind}",
                f"It is {name}.",
            )

    def _require_name(self, action: Action, visitor: Visitor, why: str) -> None:
        name = self.name_of(action)
        typed = visitor.typed_name
        if typed is None:
            typed = visitor.type_name(action, name, why)
        if typed == name:
            return
        kind = action.confirmed_by.kind
        problem = f"{_refusal(action)}: the name of the {kind} was not typed"
        if why:
            problem += f". This counts as production, because {why}"
        raise TargetRefusedError(problem, f"To continue anyway, add {option('--confirm', name)}")

    def _reason(self, action: Action, visitor: Visitor, why: str) -> str:
        reason = " ".join(visitor.give_reason(action, why).split())
        if not reason and action.asks_reason:
            raise TargetRefusedError(
                f"{_refusal(action)}: no reason was given",
                "Say why: --reason TEXT, or set CRUDDUR_REASON.",
            )
        if not reason:
            ways = "--reason TEXT, or set" if action.purpose is Purpose.READING else "set"
            raise TargetRefusedError(
                f"{_refusal(action)}: this counts as production, because {why}, and no reason"
                " was given",
                f"Say why you read users' data: {ways} CRUDDUR_REASON.",
            )
        return reason

    def _refuse_another_environment(self, action: Action) -> None:
        """Refuse a store that is marked with the environment of another target than this one.

        On a local target every such marker makes it production instead.
        """
        if not self.target.is_production:
            return
        refresh = action.purpose.changes_stores
        with self._lock:
            states = [self._state(s, refresh=refresh) for s in sorted(action.checked_stores)]
        for state in states:
            self._require_environment(state, _refusal(action))

    def _require_environment(self, state: StoreState, refused: str) -> None:
        if why := other_environment(state, self.target.environment):
            raise TargetRefusedError(
                f"{refused}: this is the {self.target.name} target, but {why}",
                "Nothing was done. Check which database and which table it names.",
            )

    def _refuse_several_hosts(self, action: Action) -> None:
        if action.opens.get(Store.POSTGRES) is not Purpose.DESTROYING:
            return
        address = self.target.postgres
        hosts = [address.host]
        if not address.names_several_hosts:
            # The hosts may also stand in a service file or in a variable.
            try:
                hosts.append(self._database(Purpose.LOOKING).session_parameters().get("host", ""))
            except CoreError:
                return  # the action itself reports an unreachable server
        if any("," in host for host in hosts):
            raise InputError(
                f"{address.variable or 'The URL'} names several hosts",
                "Name only the server to act on.",
            )

    def _entry(self, grant: Grant, outcome: str = "") -> AuditEntry:
        purpose = Purpose.READING if self._only_reads(grant.action) else grant.action.purpose
        return AuditEntry(
            at=timestamp(),
            actor=grant.actor.described(),
            target=self.target.name,
            stores=dict(self._places(grant.action)),
            what=grant.action.name,
            purpose=str(purpose),
            about=grant.about,
            conversation=grant.conversation,
            message=grant.message,
            why=grant.reason,
            outcome=outcome,
        )

    def _places(self, action: Action) -> Iterator[tuple[str, str]]:
        if Store.POSTGRES in action.opens:
            address = self.target.postgres
            yield Store.POSTGRES, f"{address.dbname} at {address.place}"
        if Store.DYNAMODB in action.opens:
            yield Store.DYNAMODB, self.target.describe_dynamodb()
        if Store.AWS in action.opens:
            aws = self.target.aws
            yield Store.AWS, aws.endpoint_url or f"AWS {aws.region or ''}".strip()

    # Opening

    @contextmanager
    def open(self, grant: Grant) -> Iterator[Stores]:
        """The stores of ``grant``, for as long as the block lasts.

        If an audited action fails, a second audit line says so.
        """
        try:
            yield self.stores(grant)
        except (CoreError, OSError, KeyboardInterrupt) as error:
            if grant.is_audited and self._dry is None:
                self.audit.write(self._entry(grant, outcome=f"failed: {type(error).__name__}"))
            if isinstance(error, MissingTableError):
                self._name_other_place(error)
            raise

    def _name_other_place(self, error: MissingTableError) -> None:
        """Raise ``error`` with the place where a local table is, if it is somewhere else."""
        from core import dynamodb

        if (relocated := dynamodb.relocated(self._table())) is not None:
            raise relocated from error

    def stores(self, grant: Grant) -> Stores:
        """The stores of ``grant`` without auditing failures: for repeated reads."""
        return Stores(self, grant)

    def close(self) -> None:
        """Close every connection. A later call connects again."""
        with self._lock:
            if self._connections is not None:
                self._connections.close()

    def database(self, grant: Grant) -> Database:
        """Postgres as ``grant`` opens it. Interfaces ask :class:`Stores`."""
        check = None
        if not grant.is_production and grant.action.purpose is not Purpose.LOOKING:
            check = self._refuse_another_marker
        elif self.target.is_production and grant.action.purpose.changes_stores:
            check = self._refuse_another_target
        return self._database(grant.purpose_for(Store.POSTGRES), dry=self._dry, check=check)

    def table(self, grant: Grant, *, quick: bool = False) -> Table:
        """The message table as ``grant`` opens it. Interfaces ask :class:`Stores`."""
        purpose = grant.purpose_for(Store.DYNAMODB)
        return self._table(quick=quick).opened_for(purpose)

    def aws(self, grant: Grant) -> AwsServices:
        """AWS's other services as ``grant`` opens them. Interfaces ask :class:`Stores`."""
        from core.aws import AwsServices

        purpose = grant.purpose_for(Store.AWS)
        return AwsServices(self.target.aws, purpose, dry=self._dry)

    def _database(
        self,
        purpose: Purpose,
        *,
        dry: DrySink | None = None,
        check: Callable[[Queries], None] | None = None,
    ) -> Database:
        from core.aws import postgres_address
        from core.postgres import Database

        with self._lock:
            if self._connections is None:
                self._connections = Database(postgres_address(self.target), Purpose.LOOKING)
            return self._connections.opened_for(purpose, dry=dry, check=check)

    def _table(self, *, quick: bool = False) -> Table:
        """The message table for looking; handles for other purposes share its connections."""
        from core.dynamodb import open_table

        with self._lock:
            if quick not in self._tables:
                self._tables[quick] = open_table(
                    self.target, Purpose.LOOKING, dry=self._dry, quick=quick
                )
            return self._tables[quick]

    def _refuse_another_marker(self, transaction: Queries) -> None:
        """Refuse to continue if this server counts as production and the checked one did not.

        A database that this run dropped and created is empty, so it does not count.
        """
        from core import postgres

        if why := why_production(postgres.read_state(transaction)):
            raise TargetRefusedError(
                f"Refused: the database that answers now counts as production, because {why}",
                "Run it again. If the URL leads to several servers, name one.",
            )

    def _refuse_another_target(self, transaction: Queries) -> None:
        """The same for a target that counts as production, before a change."""
        from core import postgres

        name, marker = self.target.postgres.dbname, postgres.read_marker(transaction)
        self._require_environment(StoreState(name, marker, holds_data=False), "Refused")


class Stores:
    """The handles that a grant opens, each made when it is first needed."""

    def __init__(self, door: Door, grant: Grant, *, quick: bool = False) -> None:
        self._door = door
        self._quick = quick
        self.grant = grant

    @property
    def target(self) -> Target:
        return self._door.target

    @cached_property
    def db(self) -> Database:
        """Postgres."""
        return self._door.database(self.grant)

    @cached_property
    def table(self) -> Table:
        """The message table, with a capacity meter at zero."""
        return self._door.table(self.grant, quick=self._quick)

    @cached_property
    def aws(self) -> AwsServices:
        """AWS's other services."""
        return self._door.aws(self.grant)

    def environment_of(self, store: Store) -> str:
        """The environment to mark a recreated store with. See :meth:`Door.environment_of`."""
        return self._door.environment_of(store)

    def read_state(self, store: Store) -> StoreState:
        """The store's current marker, or whether it has data."""
        return self._door.read_state(store)
