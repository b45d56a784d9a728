-- needs: look
-- Lists the databases of rehearsals, also of interrupted ones.
SELECT datname AS name FROM pg_catalog.pg_database WHERE datname LIKE 'cruddur\_rehearsal\_%'
