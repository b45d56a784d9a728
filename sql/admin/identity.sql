-- needs: look
-- Identifies this server, and this database on it, among all others.
SELECT
  pg_catalog.pg_postmaster_start_time() AS started_at,
  database.oid::bigint AS database_oid,
  pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute') AS has_identifier
FROM pg_catalog.pg_database AS database
WHERE database.datname = %(name)s
