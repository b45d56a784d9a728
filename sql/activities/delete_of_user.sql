-- needs: destroy
-- Deletes a user's activities; counts them. Cruddur's own tables have no trigger that does it.
WITH gone AS (
  DELETE FROM public.activities WHERE user_uuid = %(user_uuid)s::uuid RETURNING uuid
)
SELECT count(*) FROM gone
