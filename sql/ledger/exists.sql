-- needs: look
-- Whether this database has a ledger of migrations.
SELECT to_regclass('public.cruddur_ops_migrations') IS NOT NULL
