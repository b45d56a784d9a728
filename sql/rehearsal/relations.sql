-- needs: look
-- Every table, index and the like, with the file of its rows: a rewrite creates a new file.
SELECT
  class.oid::bigint AS oid,
  format('%I.%I', namespace.nspname, class.relname) AS name,
  class.relkind::text AS kind,
  class.relfilenode::bigint AS file
FROM pg_catalog.pg_class AS class
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
