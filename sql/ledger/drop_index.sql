-- needs: destroy
-- Drops the incomplete index of an interrupted build.
DROP INDEX CONCURRENTLY IF EXISTS {name}
