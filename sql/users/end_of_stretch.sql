-- needs: look
-- The last row of a stretch of the handles that a search looks at in one request, if there are so
-- many. It reads the index alone.
SELECT handle, uuid
FROM public.users
WHERE (handle, uuid) > (%(after_handle)s, %(after_uuid)s::uuid)
ORDER BY handle, uuid
OFFSET %(rows)s - 1
LIMIT 1
