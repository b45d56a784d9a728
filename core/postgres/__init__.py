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
        has_tables as has_tables,
        load_schema as load_schema,
        mark as mark,
        read_marker as read_marker,
        read_state as read_state,
        sessions as sessions,
        survey as survey,
    )
    from core.postgres.database import Database as Database, Queries as Queries
    from core.postgres.description import (
        DatabaseDescription as DatabaseDescription,
        TableSize as TableSize,
        describe_database as describe_database,
    )
    from core.postgres.handles import (
        bare_handle as bare_handle,
        lacks_demo_users as lacks_demo_users,
    )
    from core.postgres.health import (
        Greeting as Greeting,
        greet as greet,
        schema_differences as schema_differences,
    )
    from core.postgres.renames import rename_user as rename_user
    from core.postgres.seed import (
        DemoPerson as DemoPerson,
        Seeded as Seeded,
        demo_people as demo_people,
        seed_demo_data as seed_demo_data,
    )
    from core.postgres.shell import Shell as Shell, find_shell as find_shell
    from core.postgres.users import (
        Activity as Activity,
        count_activities as count_activities,
        count_users as count_users,
        create_user as create_user,
        find_people as find_people,
        find_person as find_person,
        find_user as find_user,
        find_users_by_bare_handle as find_users_by_bare_handle,
        find_users_by_handle as find_users_by_handle,
        find_users_by_uuid as find_users_by_uuid,
        list_activities as list_activities,
        search_people as search_people,
        search_users as search_users,
        set_cognito_user_ids as set_cognito_user_ids,
    )

NAMES = {
    "renames": ("rename_user",),
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
        "has_tables",
        "load_schema",
        "mark",
        "read_marker",
        "read_state",
        "sessions",
        "survey",
    ),
    "handles": ("bare_handle", "lacks_demo_users"),
    "users": (
        "Activity",
        "count_activities",
        "count_users",
        "create_user",
        "find_people",
        "find_person",
        "find_user",
        "find_users_by_bare_handle",
        "find_users_by_handle",
        "find_users_by_uuid",
        "list_activities",
        "search_people",
        "search_users",
        "set_cognito_user_ids",
    ),
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
        "greet",
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
