"""What the design says of each task and each action of the admin UI, written down by hand.

Nothing here is taken from the product: a task that opens a store for the wrong purpose contradicts
its row, a new one has no row, and either fails the test. The purposes and their consequences are
the table of the design's section on safety; what a row changes and reads is what the thing is for.

Once a row knowingly says what the product does instead: the admin UI's repair asks for the table's
name on a local store too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

POSTGRES, DYNAMODB, AWS = "postgres", "dynamodb", "aws"
STORES = (POSTGRES, DYNAMODB, AWS)
MARKED = (POSTGRES, DYNAMODB)
"""The stores that carry an environment marker."""


@dataclass(frozen=True)
class Rule:
    """What a purpose asks on what counts as production, and whether it leaves an audit line."""

    asks: str
    is_audited: bool
    may_change: bool


RULES: Mapping[str, Rule] = {  # the strictest last
    "looking": Rule("nothing", is_audited=False, may_change=False),
    "verifying": Rule("nothing", is_audited=False, may_change=False),  # looking, at keys only
    "making": Rule("nothing", is_audited=True, may_change=True),
    "reading": Rule("reason", is_audited=True, may_change=False),
    "writing": Rule("name", is_audited=True, may_change=True),
    "destroying": Rule("name", is_audited=True, may_change=True),
}


# What there is before: one word a world, which the states below mark as local or as production

FULL = "both stores, with users and a conversation"
NO_TABLES = "a database without tables"
NO_DATABASE = "no database"
NO_TABLE = "no message table"
EMPTY = "both schemas, and not a row in them"
MIGRATED = "both stores, and a migration that was applied"
WITHOUT_DATA = {NO_TABLES: {POSTGRES}, EMPTY: {POSTGRES, DYNAMODB}}
MISSING = {NO_DATABASE: POSTGRES, NO_TABLE: DYNAMODB}


@dataclass(frozen=True)
class State:
    """What the two markers say (None: there is none), and the target that is typed, if any.

    States with the same ``like`` have the same result by the design.
    """

    name: str
    postgres: str | None
    dynamodb: str | None
    target: str = ""
    like: str = ""

    @property
    def options(self) -> list[str]:
        """What is typed for it."""
        if self.target == "production":
            return ["--prod"]
        return ["--target", self.target] if self.target else []

    def counts_as_production(self, store: str, world: str) -> bool:
        """Whether ``store`` alone counts as production: marked so, or with data and no marker."""
        if MISSING.get(world) == store or store not in MARKED:
            return False
        marker = {POSTGRES: self.postgres, DYNAMODB: self.dynamodb}[store]
        if marker is None:
            return store not in WITHOUT_DATA.get(world, set())
        return marker != "local"

    def is_of_another_target(self, store: str, world: str) -> bool:
        """Whether ``store`` is marked with the environment of another target than the typed one."""
        if MISSING.get(world) == store or store not in MARKED or not self.target:
            return False
        marker = {POSTGRES: self.postgres, DYNAMODB: self.dynamodb}[store]
        return marker not in (None, "local", self.target)

    def unmarked(self) -> set[str]:
        """The stores without a marker."""
        markers = {POSTGRES: self.postgres, DYNAMODB: self.dynamodb}
        return {store for store, marker in markers.items() if marker is None}


STATES = (
    State("local", "local", "local"),
    State("postgres production", "production", "local"),
    State("dynamodb production", "local", "production"),
    State("both production", "production", "production"),
    State("no markers", None, None),
    State("--prod", "local", "local", target="production"),
    State("--target staging", "local", "staging", target="staging", like="--prod"),
    State("marked staging", "staging", "local", like="postgres production"),
    State("another target's", "production", "production", target="staging"),
)


@dataclass(frozen=True)
class Row:
    """A task with what is typed after it, or an action of the admin UI.

    ``opens``: the purpose for each store. ``changes`` and ``reads``: the stores in which it changes
    something, or reads users' data, after it is allowed to. ``fails``: it leaves a second audit
    line, its outcome. ``reads_first``: what it reads before it asks. ``reads_dry``: what a dry run
    reads besides. ``label`` distinguishes two rows of one task.
    """

    name: str
    opens: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    confirmed_by: str = DYNAMODB
    world: str = FULL
    changes: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    reads_first: frozenset[str] = frozenset()
    reads_dry: frozenset[str] = frozenset()
    exit_code: int = 0
    exit_code_dry: int = 0
    label: str = ""
    asks_everywhere: bool = False
    asks_reason: bool = False
    is_for_local_stores: bool = False
    changes_where_local: frozenset[str] = frozenset()
    marks_what_is_unmarked: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    fails: bool = False
    stdin: str = ""

    @property
    def title(self) -> str:
        return f"{self.name} ({self.label})" if self.label else self.name

    @property
    def purpose(self) -> str:
        """The strictest purpose, which decides what is asked. Without a store nothing is asked."""
        return max(self.opens.values(), key=list(RULES).index, default="looking")

    @property
    def checked(self) -> set[str]:
        """The stores whose markers count: those opened for more than looking."""
        return {s for s, purpose in self.opens.items() if s in MARKED and purpose != "looking"}

    @property
    def changes_something(self) -> bool:
        """Whether it changes any store, after it is allowed to."""
        return bool(self.changes or self.changes_where_local or self.marks_what_is_unmarked)

    def changed_in(self, state: State, *, is_production: bool) -> frozenset[str]:
        """The stores that are changed if the name and the reason are right."""
        if self.marks_what_is_unmarked:
            return frozenset(state.unmarked())
        return self.changes | (frozenset() if is_production else self.changes_where_local)


def _of(*stores: str) -> frozenset[str]:
    return frozenset(stores)


_BOTH = _of(POSTGRES, DYNAMODB)
_PAIR = ("--user", "bayko", "--with", "andrewbrown")
_SAYING = ("--message", "hello there")
_BOTH_WRITING = {POSTGRES: "writing", DYNAMODB: "writing"}
_IN_THE_CONSOLE = """
print(postgres.find_person(stores.db, "bayko"), list(dynamodb.scan(stores.table)))
try:
    postgres.create_user(stores.db, "newcomer", "New", "newcomer@example.com")
    conversations.send_message(stores.db, stores.table, "bayko", "{conversation}", "hello there")
except Exception as error:
    print(error)
"""
_SENDING = {POSTGRES: "reading", DYNAMODB: "writing"}

TASKS = (
    # No store
    Row("up"),
    Row("down"),
    Row("status"),
    Row("audit"),
    Row("test"),
    Row("lint"),
    Row("bench"),
    Row(
        "db.generate-migration",
        words=("--name", "add_a_column"),
        settings={"CRUDDUR_MIGRATIONS_DIR": "{folder}/new"},
    ),
    Row("lambda.package", words=("--file", "{folder}/function.zip")),
    # Looking
    Row("lambda.status", {DYNAMODB: "looking", AWS: "looking"}),
    Row("admin", {POSTGRES: "looking", DYNAMODB: "looking"}),
    Row("doctor", {POSTGRES: "looking", DYNAMODB: "looking"}),
    Row("db.sessions", {POSTGRES: "looking"}, confirmed_by=POSTGRES),
    Row(
        "db.migrations",
        {POSTGRES: "looking"},
        confirmed_by=POSTGRES,
        exit_code=1,  # one is pending
        exit_code_dry=1,
    ),
    Row(
        "db.rehearse",
        {POSTGRES: "looking"},
        confirmed_by=POSTGRES,
    ),
    Row("ddb.list-tables", {DYNAMODB: "looking"}),
    Row(
        "ddb.verify",
        {POSTGRES: "verifying", DYNAMODB: "verifying"},
        reads=_BOTH,
        exit_code=1,  # there is something to repair
        exit_code_dry=1,
    ),
    # Making what is missing
    Row(
        "db.create",
        {POSTGRES: "making"},
        confirmed_by=POSTGRES,
        world=NO_DATABASE,
        changes=_of(POSTGRES),
    ),
    Row(
        "db.schema-load",
        {POSTGRES: "making"},
        label="no tables",
        confirmed_by=POSTGRES,
        world=NO_TABLES,
        changes=_of(POSTGRES),
    ),
    Row("ddb.schema-load", {DYNAMODB: "making"}, world=NO_TABLE, changes=_of(DYNAMODB)),
    Row("ddb.schema-load", {DYNAMODB: "making"}, label="there already"),
    Row(
        "adopt",
        {POSTGRES: "making", DYNAMODB: "making"},
        words=("--environment", "{environment}"),
        asks_everywhere=True,
        marks_what_is_unmarked=True,
    ),
    Row(
        "rds.update-sg-rule",
        {AWS: "making"},
        words=("--ip", "8.8.4.4"),
        changes=_of(AWS),
    ),
    Row("configure-login", {AWS: "making"}, changes=_of(AWS)),
    # Reading users' texts or addresses
    Row(
        "ddb.patterns.get-conversation",
        {POSTGRES: "reading", DYNAMODB: "reading"},
        words=_PAIR,
        reads=_of(DYNAMODB),
    ),
    Row(
        "ddb.patterns.get-conversation",
        {POSTGRES: "looking", DYNAMODB: "reading"},
        label="by its id",
        words=("--conversation", "{conversation}"),
        reads=_of(DYNAMODB),
    ),
    Row(
        "ddb.patterns.list-conversations",
        {POSTGRES: "reading", DYNAMODB: "reading"},
        words=("--user", "bayko"),
        reads=_of(DYNAMODB),
    ),
    Row(
        "ddb.patterns.export-conversation",
        {POSTGRES: "looking", DYNAMODB: "reading"},
        words=("--conversation", "{conversation}", "--file", "{folder}/{fresh}"),
        reads=_of(DYNAMODB),
    ),
    Row("ddb.scan", {DYNAMODB: "reading"}, reads=_of(DYNAMODB)),
    Row(
        "ddb.search",
        {POSTGRES: "reading", DYNAMODB: "reading"},
        words=("--words", "first", "--user", "bayko"),
        reads=_of(DYNAMODB),
    ),
    Row("ddb.export", {DYNAMODB: "reading"}, reads=_of(DYNAMODB)),
    Row(
        "db.connect",
        {POSTGRES: "reading"},
        confirmed_by=POSTGRES,
        reads=_of(POSTGRES),
        changes_where_local=_of(POSTGRES),
    ),
    Row(
        "db.query",
        {POSTGRES: "reading"},
        words=("--sql", "SELECT handle FROM public.users"),
        confirmed_by=POSTGRES,
        reads=_of(POSTGRES),
    ),
    Row(
        "console",
        {POSTGRES: "reading", DYNAMODB: "reading"},
        stdin=_IN_THE_CONSOLE,
        reads=_BOTH,
        changes_where_local=_BOTH,
    ),
    Row(
        "db.rehearse",
        {POSTGRES: "reading"},
        label="--rows",
        words=("--rows", "5"),
        confirmed_by=POSTGRES,
        reads=_of(POSTGRES),
    ),
    Row(
        "db.dump",
        {POSTGRES: "reading"},
        words=("--file", "{folder}/all.dump"),
        confirmed_by=POSTGRES,
        reads=_of(POSTGRES),
    ),
    Row("cognito.list-users", {AWS: "reading"}, reads=_of(AWS)),
    Row(
        "people.show",
        {POSTGRES: "reading", DYNAMODB: "reading"},
        words=("--user", "bayko"),
        reads=_BOTH,
    ),
    Row(
        "people.export",
        {POSTGRES: "reading", DYNAMODB: "reading"},
        words=("--user", "bayko", "--file", "{folder}/{fresh}"),
        reads=_BOTH,
    ),
    # Writing
    Row(
        "lambda.deploy",
        {DYNAMODB: "writing", AWS: "writing"},
        words=("--file", "/dev/null/function.zip"),  # so that no function runs beside other tests
        exit_code=1,
        label="with no place for its zip",
        fails=True,
    ),
    Row("lambda.remove", {DYNAMODB: "writing", AWS: "writing"}),  # there is none
    Row(
        "people.hold",
        {POSTGRES: "looking", DYNAMODB: "writing"},
        words=("--user", "bayko"),
        asks_reason=True,
        changes=_of(DYNAMODB),
    ),
    Row(
        "people.release",
        {POSTGRES: "looking", DYNAMODB: "writing"},
        words=("--user", "bayko"),
        asks_reason=True,
    ),
    Row(
        "ddb.patterns.create-message",
        _SENDING,
        words=(*_PAIR, *_SAYING),
        changes=_of(DYNAMODB),
        reads=_BOTH,
    ),
    Row(
        "ddb.patterns.create-conversation",
        _SENDING,
        words=(*_PAIR, *_SAYING),
        changes=_of(DYNAMODB),
        reads=_of(DYNAMODB),
    ),
    Row("ddb.seed", _SENDING, changes=_of(DYNAMODB), reads=_of(DYNAMODB)),
    Row("ddb.follow-stream", {DYNAMODB: "writing"}, changes=_of(DYNAMODB), reads=_of(DYNAMODB)),
    Row("db.seed", {POSTGRES: "writing"}, confirmed_by=POSTGRES, changes=_of(POSTGRES)),
    Row(
        "db.import-users",
        {POSTGRES: "writing"},
        words=("--file", "{users_file}"),
        confirmed_by=POSTGRES,
        changes=_of(POSTGRES),
        reads_dry=_of(POSTGRES),  # who is there already: the run itself leaves that to Postgres
    ),
    Row(
        "db.update-cognito-user-ids",
        {POSTGRES: "writing", AWS: "reading"},
        confirmed_by=POSTGRES,
        changes=_of(POSTGRES),
        reads=_of(POSTGRES, AWS),
    ),
    Row(
        "people.rename",
        {**_BOTH_WRITING, AWS: "reading"},
        words=("--user", "bayko", "--handle", "bayko2"),
        changes=_BOTH,
        reads=_of(POSTGRES, DYNAMODB, AWS),
    ),
    Row(
        "people.rename",
        _BOTH_WRITING,
        label="no user pool",
        words=("--user", "bayko", "--handle", "bayko2"),
        changes=_BOTH,
        reads=_BOTH,
        settings={"AWS_COGNITO_USER_POOL_ID": ""},
    ),
    Row(
        "db.connect",
        {POSTGRES: "writing"},
        label="--write",
        words=("--write",),
        confirmed_by=POSTGRES,
        changes=_of(POSTGRES),
        reads=_of(POSTGRES),
    ),
    Row(
        "console",
        _BOTH_WRITING,
        label="--write",
        words=("--write",),
        stdin=_IN_THE_CONSOLE,
        changes=_BOTH,
        reads=_BOTH,
    ),
    # Destroying
    Row("db.drop", {POSTGRES: "destroying"}, confirmed_by=POSTGRES, changes=_of(POSTGRES)),
    Row(
        "db.schema-load",
        {POSTGRES: "destroying"},
        label="over tables",
        confirmed_by=POSTGRES,
        changes=_of(POSTGRES),
    ),
    Row("db.kill-all", {POSTGRES: "destroying"}, confirmed_by=POSTGRES),
    Row(
        "db.restore",
        {POSTGRES: "destroying"},
        label="over data",
        words=("--file", "{dump}"),
        confirmed_by=POSTGRES,
        asks_everywhere=True,
        changes=_of(POSTGRES),
    ),
    Row(
        "db.restore",
        {POSTGRES: "destroying"},
        label="no tables",
        words=("--file", "{dump}"),
        confirmed_by=POSTGRES,
        world=NO_TABLES,
        changes=_of(POSTGRES),
    ),
    Row(
        "db.migrate",
        {POSTGRES: "destroying"},
        words=("--no-rehearsal",),
        confirmed_by=POSTGRES,
        changes=_of(POSTGRES),
    ),
    Row(
        "db.rollback",
        {POSTGRES: "destroying"},
        confirmed_by=POSTGRES,
        world=MIGRATED,
        changes=_of(POSTGRES),
    ),
    Row(
        "db.setup",
        {POSTGRES: "destroying", AWS: "reading"},
        confirmed_by=POSTGRES,
        changes=_of(POSTGRES),
        reads=_of(POSTGRES, AWS),
    ),
    Row(
        "db.setup",
        {POSTGRES: "destroying"},
        label="no user pool",
        confirmed_by=POSTGRES,
        changes=_of(POSTGRES),
        settings={"AWS_COGNITO_USER_POOL_ID": ""},
    ),
    Row("ddb.drop", {DYNAMODB: "destroying"}, changes=_of(DYNAMODB)),
    Row(
        "ddb.import",
        {DYNAMODB: "destroying"},
        words=("--file", "{import_file}"),
        changes=_of(DYNAMODB),
        reads=_of(DYNAMODB),
    ),
    Row(
        "ddb.verify",
        {POSTGRES: "verifying", DYNAMODB: "destroying"},
        label="--repair",
        words=("--repair",),
        exit_code_dry=1,  # and there still is
        changes=_of(DYNAMODB),
        reads=_BOTH,
        reads_first=_BOTH,
    ),
    Row(
        "ddb.patterns.remove-message",
        {DYNAMODB: "destroying"},
        words=("--conversation", "{conversation}", "--message-uuid", "{message}"),
        asks_everywhere=True,
        asks_reason=True,
        changes=_of(DYNAMODB),
        reads=_of(DYNAMODB),
    ),
    Row(
        "people.erase",
        {POSTGRES: "destroying", DYNAMODB: "destroying"},
        words=("--user", "bayko"),
        asks_everywhere=True,
        asks_reason=True,
        changes=_BOTH,
        reads=_BOTH,
        reads_first=_of(DYNAMODB),  # the plan: only counts are shown
    ),
    Row(
        "ddb.patterns.expire",
        {DYNAMODB: "destroying"},
        words=("--before", "2999-01-01"),
        asks_everywhere=True,
        asks_reason=True,
        changes=_of(DYNAMODB),
        reads=_of(DYNAMODB),
    ),
    # Local stores alone
    Row(
        "start",
        {POSTGRES: "destroying", DYNAMODB: "writing"},
        words=("--no-admin",),
        world=EMPTY,
        changes=_BOTH,
        reads=_of(DYNAMODB),  # the inbox that it shows
        is_for_local_stores=True,
    ),
)

_READING = {POSTGRES: "reading", DYNAMODB: "reading"}

_HOLDING = {POSTGRES: "looking", DYNAMODB: "writing"}

ACTIONS = (
    Row("inbox opened", _READING, reads=_of(DYNAMODB)),
    Row("conversation opened", _READING, reads=_of(DYNAMODB)),
    Row("conversation exported", _READING, reads=_of(DYNAMODB)),
    Row("message groups opened", _READING, reads=_BOTH),
    Row("message groups downloaded", _READING, reads=_BOTH),
    Row("messages searched", _READING, reads=_of(DYNAMODB)),
    Row("users opened", {POSTGRES: "reading"}, reads=_of(POSTGRES)),
    Row("Cognito users read", {AWS: "reading"}, reads=_of(AWS)),
    Row("message sent", _SENDING, changes=_of(DYNAMODB), reads=_BOTH),
    Row(
        "message removed",
        {DYNAMODB: "destroying"},
        asks_everywhere=True,
        asks_reason=True,
        changes=_of(DYNAMODB),
        reads=_of(DYNAMODB),
    ),
    Row(
        "conversation started or continued",
        _SENDING,
        changes=_of(DYNAMODB),
        reads=_of(DYNAMODB),
    ),
    Row(
        "user created",
        {POSTGRES: "writing"},
        confirmed_by=POSTGRES,
        changes=_of(POSTGRES),
        reads=_of(POSTGRES),  # whether the handle is already in use
    ),
    Row("user renamed", _BOTH_WRITING, changes=_BOTH, reads=_BOTH),
    Row("user exported", _READING, reads=_BOTH),
    Row("user held", _HOLDING, asks_reason=True, changes=_of(DYNAMODB)),
    Row("user released", _HOLDING, asks_reason=True),
    Row(
        "erasure planned",
        {POSTGRES: "verifying", DYNAMODB: "verifying"},
        reads=_of(DYNAMODB),
    ),
    Row(
        "user erased",
        {POSTGRES: "destroying", DYNAMODB: "destroying"},
        asks_everywhere=True,
        asks_reason=True,
        changes=_BOTH,
        reads=_BOTH,
    ),
    Row("store verified", {POSTGRES: "verifying", DYNAMODB: "verifying"}, reads=_BOTH),
    Row(
        "store repaired",
        {POSTGRES: "verifying", DYNAMODB: "destroying"},
        asks_everywhere=True,  # more than the design asks: on a local store nothing would do
        changes=_of(DYNAMODB),
        reads=_BOTH,
    ),
)


# What a cell must show


@dataclass(frozen=True)
class Cell:
    """The conditions: ``name`` is none, wrong or right; ``reason`` none, option or variable.

    ``may_write`` is the admin UI's ``--write``; a terminal has no such switch. ``page`` draws the
    page that does it, instead of doing it at the page's desk.
    """

    row: Row
    state: State
    name: str = "none"
    reason: str = "none"
    dry: bool = False
    in_browser: bool = False
    may_write: bool = True
    page: bool = False

    @property
    def title(self) -> str:
        return self.row.title + (" on its page" if self.page else "")

    @property
    def is_production(self) -> bool:
        """Whether its target counts as production: one store is enough, and the UI checks both."""
        checked = MARKED if self.in_browser else self.row.checked
        return bool(self.state.target) or any(
            self.state.counts_as_production(store, self.row.world) for store in checked
        )


@dataclass(frozen=True)
class Expected:
    """A cell's result by the design. ``audited``: the purpose in the audit line, or nothing."""

    refused: bool
    changed: frozenset[str]
    read: frozenset[str]
    audited: str = ""
    why: str = ""


def expected(cell: Cell, reason: str) -> Expected:
    """The result of ``cell`` by the design; ``reason`` is the reason that was typed, if any."""
    row = cell.row
    if is_refused_at_once(cell):
        return Expected(True, frozenset(), frozenset())
    rule = RULES[row.purpose]
    asks = rule.asks if cell.is_production and not row.is_for_local_stores else "nothing"
    if row.asks_everywhere:
        asks = "name"
    if cell.in_browser and row.purpose == "writing":
        asks = "nothing"  # the switch --write is the permission
    if _reads_when_dry(cell):
        asks = "reason"
    conditions = (bool(reason) or not row.asks_reason) and (
        asks == "nothing"
        or (asks == "name" and (cell.dry or cell.name == "right"))
        or (asks == "reason" and bool(reason))
    )
    if not conditions:
        return Expected(True, frozenset(), row.reads_first)
    changed = row.changed_in(cell.state, is_production=cell.is_production)
    may_change = not cell.dry and (rule.may_change or not cell.is_production)
    is_audited = cell.is_production and rule.is_audited and _is_done(cell, changed)
    return Expected(
        False,
        changed if may_change else frozenset(),
        row.reads | (row.reads_dry if cell.dry else frozenset()),
        ("reading" if cell.dry else row.purpose) if is_audited else "",
        reason if is_audited and (asks == "reason" or row.asks_reason) else "",
    )


def _reads_when_dry(cell: Cell) -> bool:
    """Whether a dry run on production reads users' data: before it would change something, or in a
    store that it opens for nothing else.
    """
    reads = not {"reading", "writing"}.isdisjoint(cell.row.opens.values()) or cell.row.asks_reason
    may_be_there = cell.is_production and not cell.row.is_for_local_stores
    return cell.dry and may_be_there and (reads or cell.row.title == "ddb.verify (--repair)")


def is_refused_at_once(cell: Cell) -> bool:
    """By the command line, or by how the app was started; nothing else matters."""
    row = cell.row
    if row.is_for_local_stores and cell.is_production and not cell.dry:
        return True
    if any(cell.state.is_of_another_target(store, row.world) for store in row.checked):
        return True
    if cell.name == "wrong" and row.opens:
        return True
    forbidden = cell.in_browser and cell.is_production and not cell.may_write
    return forbidden and RULES[row.purpose].may_change


def _is_done(cell: Cell, changed: frozenset[str]) -> bool:
    """Whether an audit line is written: a dry run only reads."""
    if cell.dry:
        return _reads_when_dry(cell)
    return bool(changed) or cell.row.name != "rds.update-sg-rule"
