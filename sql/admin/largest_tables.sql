-- needs: look
-- The largest tables of the database, with the planner's estimate of their rows (-1: no estimate
-- yet). A partitioned table appears as its partitions.
SELECT
  n.nspname::text AS schema,
  c.relname::text AS name,
  pg_total_relation_size(c.oid) AS size_bytes,
  c.reltuples::bigint AS estimated_rows
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\_t%%'
ORDER BY size_bytes DESC, schema, name
LIMIT %(limit)s
