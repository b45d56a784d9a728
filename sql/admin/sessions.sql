-- needs: look
-- The sessions of the server. Columns that this role may not see are null, including the kind. The
-- next page begins after the session (%(database)s, %(pid)s).
SELECT
  pid,
  usename AS "user",
  datname AS database,
  host(client_addr) AS client_address,
  application_name AS application,
  state
FROM pg_catalog.pg_stat_activity
WHERE datname IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
  AND (%(pid)s::int IS NULL OR (datname, pid) > (%(database)s::name, %(pid)s::int))
ORDER BY datname, pid
LIMIT %(limit)s
