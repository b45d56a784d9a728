-- needs: look
-- Handles similar to a mistyped one: its variants, and its neighbours in the order of handles.
SELECT handle
FROM public.users
WHERE handle = ANY(%(variants)s::text[])
UNION
SELECT beside.handle
FROM unnest(%(places)s::text[]) AS place,
LATERAL (
  (SELECT handle FROM public.users WHERE handle >= place ORDER BY handle LIMIT %(beside)s)
  UNION ALL
  (SELECT handle FROM public.users WHERE handle < place ORDER BY handle DESC LIMIT %(beside)s)
) AS beside
LIMIT %(limit)s
