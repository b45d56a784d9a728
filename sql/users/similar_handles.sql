-- needs: look
-- Handles near a mistyped one: those among its variants, and those beside it in the handles' order.
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
