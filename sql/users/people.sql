-- needs: look
-- A page of the users whose handle or display name contains the text, in the order of handles.
SELECT uuid, handle, display_name
FROM public.users
WHERE (handle, uuid) > (%(after_handle)s, %(after_uuid)s::uuid)
  AND (handle ILIKE %(pattern)s OR display_name ILIKE %(pattern)s)
ORDER BY handle, uuid
LIMIT %(limit)s
