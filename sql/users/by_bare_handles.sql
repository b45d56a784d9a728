-- needs: read
-- The users whose handle is one of these, ignoring blanks around it and a leading @. Reads the
-- whole table.
SELECT uuid, handle, display_name, email, cognito_user_id, created_at
FROM public.users
WHERE regexp_replace(btrim(handle, E' \t\r\n'), '^@', '') = ANY(%(handles)s::text[])
ORDER BY created_at, uuid
