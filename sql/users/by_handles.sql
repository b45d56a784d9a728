-- needs: read
-- The users with these handles. Cruddur's own tables may hold a handle twice: oldest first.
SELECT uuid, handle, display_name, email, cognito_user_id, created_at
FROM public.users
WHERE handle = ANY(%(handles)s::text[])
ORDER BY created_at, uuid
