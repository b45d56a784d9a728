-- needs: make
-- Limits how long this transaction waits for each later lock.
SELECT set_config('lock_timeout', %(timeout)s, true)
