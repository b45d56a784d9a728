"""Cruddur's relational store: users, activities, and the administration of their database.

These are the package's public names; code outside imports none of its modules. Functions take a
:class:`Database`, opened for one purpose. SQL lives in ``sql/``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.lazy import loader

if TYPE_CHECKING:
    from core.postgres.admin import (
        Session as Session,
        Survey as Survey,
        check_droppable as check_droppable,
        create_database as create_database,
        database_exists as database_exists,
        drop_database as drop_database,
        end_session as end_session,
        has_tables as has_tables,
        load_schema as load_schema,
        mark as mark,
        other_sessions as other_sessions,
        read_marker as read_marker,
        read_state as read_state,
        sessions as sessions,
        survey as survey,
    )
    from core.postgres.copies import (
        check_dump as check_dump,
        dump_database as dump_database,
        has_any_table as has_any_table,
        restore_database as restore_database,
    )
    from core.postgres.database import Database as Database, Queries as Queries
    from core.postgres.description import (
        DatabaseDescription as DatabaseDescription,
        TableSize as TableSize,
        describe_database as describe_database,
    )
    from core.postgres.erasing import (
        delete_user as delete_user,
        find_people_by_digest as find_people_by_digest,
    )
    from core.postgres.handles import (
        bare_handle as bare_handle,
        lacks_demo_users as lacks_demo_users,
        similar_handles as similar_handles,
    )
    from core.postgres.health import (
        Greeting as Greeting,
        UnreadableTime as UnreadableTime,
        greet as greet,
        has_integer_replies as has_integer_replies,
        list_unreadable_times as list_unreadable_times,
        schema_differences as schema_differences,
    )
    from core.postgres.migrations.files import (
        Migration as Migration,
        generate_migration as generate_migration,
    )
    from core.postgres.migrations.ledger import read_ledger as read_ledger
    from core.postgres.migrations.linting import squawk_path as squawk_path
    from core.postgres.migrations.plan import (
        Entry as Entry,
        find_drift as find_drift,
        next_step as next_step,
    )
    from core.postgres.migrations.rehearsal import (
        Rehearsal as Rehearsal,
        rehearse as rehearse,
    )
    from core.postgres.migrations.running import (
        Done as Done,
        Files as Files,
        migrate as migrate,
        read_migrations as read_migrations,
        roll_back as roll_back,
    )
    from core.postgres.poolers import check_read_only as check_read_only
    from core.postgres.programs import Programs as Programs, find_programs as find_programs
    from core.postgres.reading import JsonText as JsonText
    from core.postgres.renames import rename_user as rename_user
    from core.postgres.seed import (
        DemoPerson as DemoPerson,
        Seeded as Seeded,
        demo_people as demo_people,
        seed_demo_data as seed_demo_data,
    )
    from core.postgres.shell import Shell as Shell, find_shell as find_shell
    from core.postgres.typed_queries import (
        DEFAULT_TIMEOUT_S as DEFAULT_TIMEOUT_S,
        Answer as Answer,
        run_typed as run_typed,
    )
    from core.postgres.user_files import import_users as import_users
    from core.postgres.users import (
        Activity as Activity,
        count_activities as count_activities,
        count_users as count_users,
        create_user as create_user,
        find_people_by_uuid as find_people_by_uuid,
        find_person as find_person,
        find_user as find_user,
        find_user_by_uuid as find_user_by_uuid,
        find_users_by_bare_handle as find_users_by_bare_handle,
        find_users_by_handle as find_users_by_handle,
        find_users_by_uuid as find_users_by_uuid,
        list_activities as list_activities,
        search_people as search_people,
        search_users as search_users,
        set_cognito_user_ids as set_cognito_user_ids,
    )

NAMES = {
    "reading": ("JsonText",),
    "renames": ("rename_user",),
    "erasing": ("delete_user", "find_people_by_digest"),
    "database": (
        "Database",
        "Queries",
    ),
    "admin": (
        "Session",
        "Survey",
        "check_droppable",
        "create_database",
        "database_exists",
        "drop_database",
        "end_session",
        "has_tables",
        "load_schema",
        "mark",
        "other_sessions",
        "read_marker",
        "read_state",
        "sessions",
        "survey",
    ),
    "copies": ("check_dump", "dump_database", "has_any_table", "restore_database"),
    "poolers": ("check_read_only",),
    "programs": ("Programs", "find_programs"),
    "handles": ("bare_handle", "lacks_demo_users", "similar_handles"),
    "typed_queries": ("DEFAULT_TIMEOUT_S", "Answer", "run_typed"),
    "user_files": ("import_users",),
    "users": (
        "Activity",
        "count_activities",
        "count_users",
        "create_user",
        "find_people_by_uuid",
        "find_person",
        "find_user",
        "find_user_by_uuid",
        "find_users_by_bare_handle",
        "find_users_by_handle",
        "find_users_by_uuid",
        "list_activities",
        "search_people",
        "search_users",
        "set_cognito_user_ids",
    ),
    "migrations.files": ("Migration", "generate_migration"),
    "migrations.ledger": ("read_ledger",),
    "migrations.linting": ("squawk_path",),
    "migrations.plan": ("Entry", "find_drift", "next_step"),
    "migrations.rehearsal": ("Rehearsal", "rehearse"),
    "migrations.running": ("Done", "Files", "migrate", "read_migrations", "roll_back"),
    "seed": (
        "DemoPerson",
        "Seeded",
        "demo_people",
        "seed_demo_data",
    ),
    "description": (
        "DatabaseDescription",
        "TableSize",
        "describe_database",
    ),
    "health": (
        "Greeting",
        "UnreadableTime",
        "greet",
        "has_integer_replies",
        "list_unreadable_times",
        "schema_differences",
    ),
    "shell": (
        "Shell",
        "find_shell",
    ),
}
"""Every public name, by the module that defines it."""

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, NAMES)
