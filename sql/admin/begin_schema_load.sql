-- needs: make
-- Two loads at once take turns, and a lock that another session holds is not waited for long.
SET LOCAL lock_timeout = '10s';
SELECT pg_advisory_xact_lock(hashtext('cruddur-ops schema'))
