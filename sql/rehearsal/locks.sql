-- needs: look
-- The locks of this session on tables, indexes and the like, from pg_locks. Locks on the server's
-- own catalogs and on the ledger are left out.
SELECT lock.relation::bigint AS relation, lock.mode
FROM pg_catalog.pg_locks AS lock
LEFT JOIN pg_catalog.pg_class AS class ON class.oid = lock.relation
WHERE lock.pid = pg_backend_pid() AND lock.locktype = 'relation' AND lock.granted
  AND lock.database = (
    SELECT database.oid FROM pg_catalog.pg_database AS database WHERE datname = current_database()
  )
  AND coalesce(class.relnamespace::regnamespace::text, '') NOT IN ('pg_catalog', 'pg_toast')
  AND coalesce(class.relname, '') NOT LIKE 'cruddur\_ops\_%'
