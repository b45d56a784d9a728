-- needs: look
-- Lists the databases of interrupted rehearsals: those without a session.
SELECT datname AS name FROM pg_catalog.pg_database WHERE datname LIKE 'cruddur\_rehearsal\_%'
    AND datname NOT IN (SELECT datname FROM pg_catalog.pg_stat_activity WHERE datname IS NOT NULL)
