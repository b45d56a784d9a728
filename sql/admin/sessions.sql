-- Who is connected to the server. What the role may not see of others is null, the kind of their
-- session included.
SELECT
  pid,
  usename AS "user",
  datname AS database,
  host(client_addr) AS client_address,
  application_name AS application,
  state
FROM pg_catalog.pg_stat_activity
WHERE datname IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
ORDER BY datname, pid
