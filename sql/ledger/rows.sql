-- needs: look
-- Lists the ledger, in the order in which the migrations were applied.
SELECT source, stamp, name, checksum, state, steps_done, position, applied_at, duration_ms
FROM public.cruddur_ops_migrations
ORDER BY position
