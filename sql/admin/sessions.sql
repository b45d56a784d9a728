-- needs: look
-- Who is connected to the server. What the role may not see of others is null, the kind of their
-- session included. Of a page: those behind the session (%(database)s, %(pid)s), if any.
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
