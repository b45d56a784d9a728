-- needs: look
-- The columns of some tables, whether or not this role may read them.
SELECT
  class.relname AS "table",
  attribute.attname AS "column",
  format_type(attribute.atttypid, attribute.atttypmod) AS type
FROM pg_catalog.pg_attribute AS attribute
JOIN pg_catalog.pg_class AS class ON class.oid = attribute.attrelid
WHERE class.relnamespace = 'public'::regnamespace
  AND class.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND class.relname = ANY (%(tables)s)
  AND attribute.attnum > 0
  AND NOT attribute.attisdropped
