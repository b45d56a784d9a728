-- needs: destroy
-- Records the progress of Cruddur's migrations for its own scripts.
WITH changed AS (
  UPDATE public.schema_information SET last_successful_run = %(value)s WHERE id = 1 RETURNING id
)
INSERT INTO public.schema_information (id, last_successful_run)
SELECT 1, %(value)s WHERE NOT EXISTS (SELECT FROM changed)
