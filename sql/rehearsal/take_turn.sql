-- needs: destroy
-- Waits until no other rehearsal removes what is left or makes its database.
SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtext('cruddur-ops rehearsal'))
