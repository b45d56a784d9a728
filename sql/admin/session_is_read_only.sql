-- needs: look
-- Whether transactions of this session are read-only unless they say otherwise.
SELECT pg_catalog.current_setting('default_transaction_read_only')::boolean
