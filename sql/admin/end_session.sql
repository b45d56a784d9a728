-- needs: destroy
-- Ends another session on this database. No row: it had ended already.
SELECT pg_terminate_backend(pid)
FROM pg_catalog.pg_stat_activity
WHERE pid = %(pid)s AND datname = current_database() AND pid <> pg_backend_pid()
