-- needs: look
-- Whether Cruddur's own scripts record the progress of its migrations here.
SELECT to_regclass('public.schema_information') IS NOT NULL
