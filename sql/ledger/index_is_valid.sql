-- needs: look
-- Says whether an index is complete: false for what an interrupted build left, null for no index.
SELECT index.indisvalid
FROM pg_catalog.pg_index AS index
WHERE index.indexrelid = to_regclass(%(name)s)
