-- needs: destroy
-- Drops a database of a rehearsal, unless it is in use.
DROP DATABASE IF EXISTS {name}
