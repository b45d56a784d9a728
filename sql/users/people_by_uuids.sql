-- needs: look
-- The handles and names of the users with these uuids.
SELECT uuid, handle, display_name
FROM public.users
WHERE uuid = ANY(%(uuids)s::uuid[])
