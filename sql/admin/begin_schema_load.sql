-- needs: make
-- Two loads at once take turns. Waits at most 10 seconds for a lock of another session.
SET LOCAL lock_timeout = '10s';
SELECT pg_advisory_xact_lock(hashtext('cruddur-ops schema'))
