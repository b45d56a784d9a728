-- needs: look
-- Who has one of these handles: the first of them that anybody has. Cruddur's own tables may hold a
-- handle twice: the oldest.
SELECT uuid, handle, display_name
FROM public.users
WHERE handle = ANY(%(handles)s::text[])
ORDER BY array_position(%(handles)s::text[], handle), created_at, uuid
LIMIT 1
