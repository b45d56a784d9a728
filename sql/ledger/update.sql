-- needs: destroy
-- Says how far a migration of the ledger is, and by which version of its file.
UPDATE public.cruddur_ops_migrations
SET
  state = %(state)s,
  checksum = %(checksum)s,
  steps_done = %(steps_done)s,
  duration_ms = %(duration_ms)s
WHERE source = %(source)s AND stamp = %(stamp)s
