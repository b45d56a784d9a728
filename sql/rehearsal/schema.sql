-- needs: look
-- The whole schema without the ledger, one line for each object. The order of columns is left out:
-- statements that name their columns do not depend on it, and a restored column comes last.
WITH of_users AS (
  SELECT oid, nspname AS name
  FROM pg_catalog.pg_namespace
  WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_'
),
relation AS (
  SELECT class.oid, class.relkind, class.relrowsecurity,
    format('%I.%I', of_users.name, class.relname) AS name
  FROM pg_catalog.pg_class AS class
  JOIN of_users ON of_users.oid = class.relnamespace
  WHERE class.relname NOT LIKE 'cruddur\_ops\_%'
)
SELECT format('%s %s%s', CASE relkind
    WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence'
    WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'type' END,
  name, CASE WHEN relrowsecurity THEN ' with row security' END) AS line
FROM relation WHERE relkind <> 'i' AND relkind <> 'I'
UNION ALL
SELECT format('column %s.%I %s%s%s%s', relation.name, attribute.attname,
  format_type(attribute.atttypid, attribute.atttypmod),
  CASE WHEN attribute.attnotnull THEN ' NOT NULL' END,
  ' DEFAULT ' || pg_get_expr(value.adbin, value.adrelid),
  CASE WHEN attribute.attidentity::text || attribute.attgenerated::text <> ''
    THEN ' generated ' || attribute.attidentity::text || attribute.attgenerated::text END)
FROM relation
JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = relation.oid
LEFT JOIN pg_catalog.pg_attrdef AS value
  ON value.adrelid = attribute.attrelid AND value.adnum = attribute.attnum
WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  AND attribute.attnum > 0 AND NOT attribute.attisdropped
UNION ALL
SELECT format('constraint %s.%I %s', relation.name, con.conname, pg_get_constraintdef(con.oid))
FROM relation JOIN pg_catalog.pg_constraint AS con ON con.conrelid = relation.oid
WHERE con.contype <> 'n'
UNION ALL
SELECT format('index %s%s', pg_get_indexdef(index.indexrelid),
  CASE WHEN NOT index.indisvalid THEN ' (not complete)' END)
FROM relation JOIN pg_catalog.pg_index AS index ON index.indrelid = relation.oid
UNION ALL
SELECT format('trigger %s', pg_get_triggerdef(trigger.oid))
FROM relation JOIN pg_catalog.pg_trigger AS trigger ON trigger.tgrelid = relation.oid
WHERE NOT trigger.tgisinternal
UNION ALL
SELECT format('view %s AS %s', relation.name, pg_get_viewdef(relation.oid))
FROM relation WHERE relkind IN ('v', 'm')
UNION ALL
SELECT format('function %s', pg_get_functiondef(proc.oid))
FROM pg_catalog.pg_proc AS proc JOIN of_users ON of_users.oid = proc.pronamespace
WHERE proc.prokind IN ('f', 'p')
UNION ALL
SELECT format('type %I.%I %s', of_users.name, type.typname,
  (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
   FROM pg_catalog.pg_enum WHERE enumtypid = type.oid))
FROM pg_catalog.pg_type AS type JOIN of_users ON of_users.oid = type.typnamespace
WHERE type.typtype IN ('e', 'd')
UNION ALL
SELECT format('policy %s.%I %s %s %s', relation.name, policy.polname, policy.polcmd,
  pg_get_expr(policy.polqual, policy.polrelid), pg_get_expr(policy.polwithcheck, policy.polrelid))
FROM relation JOIN pg_catalog.pg_policy AS policy ON policy.polrelid = relation.oid
ORDER BY 1
