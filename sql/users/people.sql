-- needs: look
-- A page of the users whose handle or display name contains the text, in the order of handles. It looks
-- at a stretch of the handles, and leaves out users who were shown before.
SELECT uuid, handle, display_name
FROM (
  SELECT uuid, handle, display_name
  FROM public.users
  WHERE (handle, uuid) > (%(after_handle)s, %(after_uuid)s::uuid)
  ORDER BY handle, uuid
  LIMIT %(rows)s
) AS stretch
WHERE uuid <> ALL(%(shown)s::uuid[])
  AND (handle ILIKE %(pattern)s OR display_name ILIKE %(pattern)s)
ORDER BY handle, uuid
LIMIT %(limit)s
