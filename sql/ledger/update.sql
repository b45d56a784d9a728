-- needs: destroy
-- Records the progress of a migration, and the version of its file.
UPDATE public.cruddur_ops_migrations
SET
  state = %(state)s,
  checksum = %(checksum)s,
  steps_done = %(steps_done)s,
  duration_ms = %(duration_ms)s
WHERE source = %(source)s AND stamp = %(stamp)s
