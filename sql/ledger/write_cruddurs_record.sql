-- needs: destroy
-- Says to Cruddur's scripts how far its migrations got.
WITH changed AS (
  UPDATE public.schema_information SET last_successful_run = %(value)s WHERE id = 1 RETURNING id
)
INSERT INTO public.schema_information (id, last_successful_run)
SELECT 1, %(value)s WHERE NOT EXISTS (SELECT FROM changed)
