"""A checkout of Cruddur's app with its migrations, in the form that its generator writes."""

from __future__ import annotations

from pathlib import Path

BIO = ("16811528612904313", "add_bio_column")
REPLY = ("16844665640237772", "reply_to_activity_uuid_to_string")

BIO_UP = "ALTER TABLE public.users ADD COLUMN bio text;"
BIO_DOWN = "ALTER TABLE public.users DROP COLUMN bio;"
REPLY_UP = """
    ALTER TABLE activities DROP COLUMN reply_to_activity_uuid;
    ALTER TABLE activities ADD COLUMN reply_to_activity_uuid uuid;
"""
REPLY_DOWN = """
    ALTER TABLE activities DROP COLUMN reply_to_activity_uuid;
    ALTER TABLE activities ADD COLUMN reply_to_activity_uuid integer;
"""

SCHEMA = """
DROP TABLE IF EXISTS public.activities, public.users, public.schema_information;
CREATE TABLE public.schema_information (id integer UNIQUE, last_successful_run text);
INSERT INTO public.schema_information (id, last_successful_run) VALUES (1, '0');
CREATE TABLE public.users (
  uuid uuid DEFAULT gen_random_uuid() PRIMARY KEY, display_name text NOT NULL,
  handle text NOT NULL, email text NOT NULL, cognito_user_id text NOT NULL,
  created_at timestamp DEFAULT current_timestamp NOT NULL
);
CREATE TABLE public.activities (
  uuid uuid DEFAULT gen_random_uuid() PRIMARY KEY, user_uuid uuid NOT NULL,
  message text NOT NULL, replies_count integer DEFAULT 0, reposts_count integer DEFAULT 0,
  likes_count integer DEFAULT 0, reply_to_activity_uuid integer, expires_at timestamp,
  created_at timestamp DEFAULT current_timestamp NOT NULL
);
"""
"""What Cruddur's own schema-load makes, with its defaults written as this server can run them."""


def migration_file(up: str, down: str = "") -> str:
    """What a file of Cruddur's says; ``up`` and ``down`` are SQL."""
    return (
        "from lib.db import db\n"
        "\n"
        "class AMigration:\n"
        "  def migrate_sql():\n"
        f'    data = """{up}"""\n'
        "    return data\n"
        "  def rollback_sql():\n"
        f'    data = """{down}"""\n'
        "    return data\n"
        "\n"
        "  def migrate():\n"
        "    db.query_commit(AMigration.migrate_sql(),{})\n"
        "\n"
        "  def rollback():\n"
        "    db.query_commit(AMigration.rollback_sql(),{})\n"
        "\n"
        "migration = AMigration\n"
    )


class Checkout:
    """A folder with ``backend-flask/db/migrations``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.migrations = folder / "backend-flask" / "db" / "migrations"
        self.migrations.mkdir(parents=True)

    def add(self, stamp: str, name: str, up: str, down: str = "") -> Path:
        return self.write(f"{stamp}_{name}.py", migration_file(up, down))

    def write(self, name: str, text: str) -> Path:
        path = self.migrations / name
        path.write_text(text)
        return path

    def add_both(self) -> None:
        """The two migrations of the last Cruddur."""
        self.add(*BIO, BIO_UP, BIO_DOWN)
        self.add(*REPLY, REPLY_UP, REPLY_DOWN)


class CruddursScript:
    """Cruddur's own ``bin/db/migrate``, as far as its record goes: what it would run, and after.

    It takes the files in the order of the folder, compares stamps as numbers, and writes the time
    of each run without its dot.
    """

    @staticmethod
    def would_run(record: str, stamps: list[str]) -> list[str]:
        return [stamp for stamp in stamps if int(record) <= int(stamp)]
