-- needs: look
-- Whether the database has a table for the environment marker.
SELECT to_regclass('public.cruddur_ops_environment') IS NOT NULL
