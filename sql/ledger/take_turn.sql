-- needs: make
-- Takes the lock that lets one session at a time change the schema, until the transaction ends.
-- False if another session has it.
SELECT pg_try_advisory_xact_lock(hashtext('cruddur-ops schema'))
