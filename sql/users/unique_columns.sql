-- needs: look
-- How many of the two columns that no two users may share have a unique index. Cruddur's own table
-- has none.
SELECT count(DISTINCT attribute.attname)
FROM pg_catalog.pg_index AS index
JOIN pg_catalog.pg_attribute AS attribute
  ON attribute.attrelid = index.indrelid AND attribute.attnum = index.indkey[0]
WHERE index.indrelid = to_regclass('public.users')
  AND index.indisunique AND index.indisvalid AND index.indpred IS NULL AND index.indnkeyatts = 1
  AND attribute.attname IN ('handle', 'email')
