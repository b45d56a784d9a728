"""Sets up both stores: creates what is missing and seeds what is empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from core import transcripts
from core.access import Store, Stores
from core.dynamodb import (
    LoadedTranscript,
    add_missing_index,
    create_table,
    holds_items,
    relocated,
    require_table,
    write_marker,
)
from core.postgres import (
    Done,
    Seeded,
    count_users,
    create_database,
    demo_people,
    load_schema,
    mark,
    migrate,
    read_ledger,
    read_migrations,
    seed_demo_data,
)
from core.transcripts import TranscriptLine
from core.usecases.conversations import load_conversation


def make_what_is_missing(stores: Stores) -> Iterator[str]:
    """Create the database, its tables and the message table if they are missing.

    Yields what was created, in words.
    """
    create_database(stores.db)
    environment = stores.environment_of(Store.POSTGRES)
    if load_schema(stores.db, environment, only_if_missing=True):
        yield "loaded the Postgres schema"
    table = stores.table
    if (elsewhere := relocated(table)) is not None:
        raise elsewhere  # or it would silently create and seed a second table
    if add_missing_index(table):
        yield f"added the missing index to table {table.name}"
    if create_table(table, stores.environment_of(Store.DYNAMODB)):
        yield f"created table {table.name}"


def apply_first_migrations(stores: Stores) -> Iterator[Done]:
    """Apply the project's migrations to a database that has had none; yields each when it is done.

    Later migrations are applied by the person who writes them.
    """
    if not read_ledger(stores.db):
        yield from migrate(stores.db, read_migrations(stores.target.settings.migrations_path))


def mark_before_seed(stores: Stores, store: Store) -> bool:
    """True if a store that has neither a marker nor data was marked.

    A store that has data but no marker counts as production, and stays so.
    """
    state = stores.read_state(store)
    if state.environment is not None or state.holds_data:
        return False
    environment = stores.environment_of(store)
    if store is Store.DYNAMODB:
        return write_marker(stores.table, environment)
    return mark(stores.db, environment)


def seed_conversation(
    stores: Stores, handle: str, other_handle: str, lines: Sequence[TranscriptLine]
) -> LoadedTranscript:
    """Load a conversation between two users, in a table that is marked first."""
    mark_before_seed(stores, Store.DYNAMODB)
    return load_conversation(stores.db, stores.table, handle, other_handle, lines)


def seed_users(stores: Stores) -> Seeded:
    """Add the demo users and their activities, in a database that is marked first."""
    mark_before_seed(stores, Store.POSTGRES)
    return seed_demo_data(stores.db, stores.target.settings)


def seed_what_is_empty(stores: Stores) -> Iterator[str]:
    """Seed the demo users if there are no users, and their conversation if there are no items.

    Yields what was seeded, in words.
    """
    settings = stores.target.settings
    if count_users(stores.db) == 0:
        seed_users(stores)
        yield "seeded the users and their activities"
    if not holds_items(stores.table):
        one, other = (person.handle for person in demo_people(settings)[:2])
        lines = transcripts.read_demo()
        loaded = seed_conversation(stores, one, other, lines)
        yield f"seeded a conversation of {loaded.added} messages"


def adopt(stores: Stores, environment: str) -> Mapping[Store, str | None]:
    """Mark both stores as ``environment``; returns the marker that each store had and keeps.

    Raises:
        MissingSchemaError: the table or the database is missing. Nothing was marked.
    """
    require_table(stores.table)
    before = {
        store: stores.read_state(store).environment for store in (Store.POSTGRES, Store.DYNAMODB)
    }
    if before[Store.POSTGRES] is None:
        mark(stores.db, environment)
    if before[Store.DYNAMODB] is None:
        write_marker(stores.table, environment)
    return before
