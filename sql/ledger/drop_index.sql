-- needs: destroy
-- Drops what an interrupted build of an index left.
DROP INDEX CONCURRENTLY IF EXISTS {name}
