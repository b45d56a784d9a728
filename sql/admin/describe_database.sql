-- needs: look
-- Version and settings of the server and the current database.
SELECT
  current_setting('server_version') AS version,
  pg_postmaster_start_time() AS started_at,
  current_database()::text AS database,
  pg_database_size(current_database()) AS size_bytes,
  current_setting('max_connections')::int AS most_sessions
