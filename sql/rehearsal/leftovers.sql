-- needs: look
-- Lists the databases of rehearsals: those of interrupted ones too.
SELECT datname AS name FROM pg_catalog.pg_database WHERE datname LIKE 'cruddur\_rehearsal\_%'
