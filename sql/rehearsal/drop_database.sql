-- needs: destroy
-- Drops a database of a rehearsal; one that is in use stays.
DROP DATABASE IF EXISTS {name}
