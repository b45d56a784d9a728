-- needs: look
-- The people with these uuids: handles and names, no email addresses.
SELECT uuid, handle, display_name
FROM public.users
WHERE uuid = ANY(%(uuids)s::uuid[])
