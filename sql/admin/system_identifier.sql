-- needs: look
-- The number that the cluster got when it was initialised.
SELECT system_identifier FROM pg_catalog.pg_control_system()
