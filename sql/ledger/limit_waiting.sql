-- needs: make
-- Limits how long this transaction waits for each lock from here on.
SELECT set_config('lock_timeout', %(timeout)s, true)
