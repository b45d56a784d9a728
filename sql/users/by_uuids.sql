-- needs: read
-- The users with these uuids.
SELECT uuid, handle, display_name, email, cognito_user_id, created_at
FROM public.users
WHERE uuid = ANY(%(uuids)s::uuid[])
