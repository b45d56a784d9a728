-- needs: destroy
-- Lets the next rehearsal begin: this one has a session in its database.
SELECT pg_catalog.pg_advisory_unlock(pg_catalog.hashtext('cruddur-ops rehearsal'))
