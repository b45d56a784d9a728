-- needs: look
-- The locks on tables and indexes of a session on this database that waits for another session.
SELECT lock.relation::bigint AS relation, lock.mode
FROM pg_catalog.pg_locks AS lock
JOIN pg_catalog.pg_class AS class ON class.oid = lock.relation
WHERE lock.locktype = 'relation' AND lock.granted
  AND class.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'pg_toast')
  AND lock.pid IN (
    SELECT waiting.pid
    FROM pg_catalog.pg_locks AS waiting
    JOIN pg_catalog.pg_stat_activity AS session USING (pid)
    WHERE NOT waiting.granted AND session.datname = current_database()
  )
