"""An example of each task, as it is typed after ``invoke``. A test types every one.

Imports nothing: every ``invoke`` call, ``--list`` included, may load this module.
"""

from __future__ import annotations

EXAMPLES = {
    "admin": "admin --port 8600",
    "adopt": "adopt --environment local",
    "audit": "audit --actor olga --day 2026-01-31",
    "bench": "bench --only commands --quick",
    "cognito.list-users": "cognito.list-users",
    "configure-login": "configure-login --url https://ops.example.org",
    "console": "console --prod --reason 'ticket 7'",
    "db.connect": "db.connect",
    "db.create": "db.create",
    "db.drop": "db.drop",
    "db.dump": "db.dump --file cruddur.dump",
    "db.generate-migration": "db.generate-migration --name add_bio_column",
    "db.import-users": "db.import-users --file users.csv",
    "db.kill-all": "db.kill-all",
    "db.migrate": "db.migrate",
    "db.migrations": "db.migrations --json",
    "db.query": "db.query --sql 'SELECT handle FROM public.users' --limit 5",
    "db.rehearse": "db.rehearse",
    "db.restore": "db.restore --file cruddur.dump",
    "db.rollback": "db.rollback",
    "db.schema-load": "db.schema-load",
    "db.seed": "db.seed",
    "db.sessions": "db.sessions",
    "db.setup": "db.setup",
    "db.update-cognito-user-ids": "db.update-cognito-user-ids",
    "ddb.drop": "ddb.drop",
    "ddb.export": "ddb.export --file messages.jsonl",
    "ddb.follow-stream": "ddb.follow-stream",
    "ddb.import": "ddb.import --file messages.jsonl",
    "ddb.list-tables": "ddb.list-tables",
    "ddb.patterns.create-conversation": (
        "ddb.patterns.create-conversation --user bayko --with londo --message 'Hello'"
    ),
    "ddb.patterns.create-message": (
        "ddb.patterns.create-message --user bayko --with andrewbrown --message 'Hello'"
    ),
    "ddb.patterns.expire": "ddb.patterns.expire --before 2020-01-01 --reason 'ticket 7'",
    "ddb.patterns.export-conversation": (
        "ddb.patterns.export-conversation --user bayko --with andrewbrown --file talk.html"
    ),
    "ddb.patterns.get-conversation": (
        "ddb.patterns.get-conversation --user bayko --with andrewbrown --limit 5"
    ),
    "ddb.patterns.list-conversations": "ddb.patterns.list-conversations --user bayko",
    "ddb.patterns.remove-message": (
        "ddb.patterns.remove-message --conversation UUID --message-uuid UUID --reason 'ticket 7'"
    ),
    "ddb.scan": "ddb.scan --limit 10 --json",
    "ddb.schema-load": "ddb.schema-load",
    "ddb.search": "ddb.search --words tides --user bayko",
    "ddb.seed": "ddb.seed --me bayko --other andrewbrown",
    "ddb.verify": "ddb.verify --repair",
    "doctor": "doctor --json",
    "down": "down",
    "lambda.deploy": "lambda.deploy",
    "lambda.package": "lambda.package --file function.zip",
    "lambda.remove": "lambda.remove",
    "lambda.status": "lambda.status",
    "lint": "lint",
    "people.erase": "people.erase --user londo --reason 'ticket 7'",
    "people.export": "people.export --user bayko --file bayko.zip",
    "people.hold": "people.hold --user bayko --reason 'ticket 7'",
    "people.release": "people.release --user bayko --reason 'ticket 7'",
    "people.rename": "people.rename --user bayko --display-name 'Andrew Bayko'",
    "people.show": "people.show --user bayko",
    "rds.update-sg-rule": "rds.update-sg-rule --ip 8.8.4.4",
    "start": "start --no-admin",
    "status": "status --json",
    "test": "test --quick",
    "up": "up",
}

WRITE_FILES = frozenset(
    {"up", "down", "db.generate-migration", "lambda.package", "db.dump", "ddb.export"}
    | {"people.export", "ddb.patterns.export-conversation"}
)
"""Tasks that change something on this machine, whatever they open a store for."""

MAY_CHANGE = frozenset({"db.connect", "db.rehearse", "db.setup", "people.rename", "ddb.verify"})
"""Tasks whose options or settings decide what they open a store for; then they change it."""

PLAN_WHEN_DRY = frozenset({"up", "down", "bench", "db.rehearse"})
"""Tasks that change no store, and that only say what they would do in a dry run."""
