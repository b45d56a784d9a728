-- needs: destroy
-- FORCE ends the sessions that are connected to it.
DROP DATABASE IF EXISTS {name} WITH (FORCE)
