-- needs: look
-- Says whether Cruddur's own scripts record here how far its migrations got.
SELECT to_regclass('public.schema_information') IS NOT NULL
