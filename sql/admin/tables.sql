-- needs: look
-- Every table that can contain users' rows; the environment marker's table is left out. Rows that
-- row security hides from this role look like missing rows.
SELECT namespace.nspname AS schema, class.relname AS name, class.relrowsecurity AS hidden
FROM pg_catalog.pg_class AS class
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE class.relkind IN ('r', 'p', 'm', 'f')
  AND namespace.nspname <> 'information_schema'
  AND namespace.nspname !~ '^pg_'
  AND (namespace.nspname, class.relname) <> ('public', 'cruddur_ops_environment')
ORDER BY namespace.nspname, class.relname
