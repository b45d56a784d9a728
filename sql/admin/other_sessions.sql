-- needs: look
-- Lists the other sessions on this database. Columns that the role may not see are null.
SELECT
  pid,
  usename AS "user",
  datname AS database,
  host(client_addr) AS client_address,
  application_name AS application,
  state
FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend'
ORDER BY pid
