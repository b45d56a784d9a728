-- needs: destroy
-- Ends the sessions that are connected to it. It was asked for by name.
DROP DATABASE IF EXISTS {name} WITH (FORCE)
