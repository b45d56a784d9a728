"""Postgres: the users and activities database."""

from invoke.collection import Collection

from task_groups.db import copies, database, migrations, queries, rehearsal

ns = Collection(
    copies.dump,
    copies.kill_all,
    copies.restore,
    database.connect,
    database.create,
    database.drop,
    database.import_users,
    database.schema_load,
    database.seed,
    database.sessions,
    database.setup,
    database.update_cognito_user_ids,
    migrations.generate_migration,
    migrations.migrate,
    migrations.migrations,
    migrations.rollback,
    queries.query,
    rehearsal.rehearse,
)
