-- needs: look
-- The number that a cluster was given when it was made.
SELECT system_identifier FROM pg_catalog.pg_control_system()
