-- needs: read
-- The users with these handles. Cruddur's own tables may have a handle twice: the oldest is first.
SELECT uuid, handle, display_name, email, cognito_user_id, created_at
FROM public.users
WHERE handle = ANY(%(handles)s::text[])
ORDER BY created_at, uuid
