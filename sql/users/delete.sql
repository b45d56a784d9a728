-- needs: destroy
-- Deletes one user; counts it.
WITH gone AS (
  DELETE FROM public.users WHERE uuid = %(uuid)s::uuid RETURNING uuid
)
SELECT count(*) FROM gone
