-- needs: look
-- Whether an index is complete: false after an interrupted build, null if there is no index.
SELECT index.indisvalid
FROM pg_catalog.pg_index AS index
WHERE index.indexrelid = to_regclass(%(name)s)
