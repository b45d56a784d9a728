-- needs: look
-- Compares columns with their expected state: whether each exists, with that type (by any of the
-- type's names), and whether it allows nulls. The default is as Postgres writes it.
SELECT
  wanted.number::int AS number,
  attribute.attnum IS NOT NULL AS is_there,
  coalesce(attribute.atttypid = to_regtype(wanted.type), false) AS has_type,
  coalesce(attribute.attnotnull, false) AS is_not_null,
  pg_get_expr(value.adbin, value.adrelid) AS "default"
FROM unnest(%(tables)s::text[], %(columns)s::text[], %(types)s::text[])
  WITH ORDINALITY AS wanted ("table", "column", type, number)
LEFT JOIN pg_catalog.pg_attribute AS attribute
  ON attribute.attrelid = to_regclass(wanted."table")
  AND attribute.attname = wanted."column" AND attribute.attnum > 0 AND NOT attribute.attisdropped
LEFT JOIN pg_catalog.pg_attrdef AS value
  ON value.adrelid = attribute.attrelid AND value.adnum = attribute.attnum
ORDER BY wanted.number
