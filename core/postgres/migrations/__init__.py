"""Migrations of the database: read, listed, applied and undone, with a ledger in the database.

``splitting`` reads SQL, ``files`` the project's migrations, ``cruddur`` those of Cruddur.
``ledger`` records the applied ones, ``plan`` compares it with the files, ``running`` runs them.
"""
