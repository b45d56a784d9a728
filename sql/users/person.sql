-- needs: look
-- The user of the first of these handles that exists. Cruddur's own tables may have a handle twice:
-- the oldest user is taken.
SELECT uuid, handle, display_name
FROM public.users
WHERE handle = ANY(%(handles)s::text[])
ORDER BY array_position(%(handles)s::text[], handle), created_at, uuid
LIMIT 1
