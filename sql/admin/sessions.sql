-- Who is connected to the server; what the role may not see of others is null.
SELECT
  pid,
  usename AS "user",
  datname AS database,
  host(client_addr) AS client_address,
  application_name AS application,
  state
FROM pg_catalog.pg_stat_activity
WHERE backend_type = 'client backend'
ORDER BY datname, pid
