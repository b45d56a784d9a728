-- needs: look
-- Whether the database says of itself what it is.
SELECT to_regclass('public.cruddur_ops_environment') IS NOT NULL
