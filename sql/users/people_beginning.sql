-- needs: look
-- Users whose handle begins with one of the spellings, or is beside it in the order of handles: a few
-- rows of the index of handles, in any collation.
SELECT DISTINCT beside.uuid, beside.handle, beside.display_name
FROM unnest(%(spellings)s::text[]) AS spelling,
LATERAL (
  SELECT uuid, handle, display_name
  FROM public.users
  WHERE handle >= spelling
  ORDER BY handle
  LIMIT %(limit)s
) AS beside
