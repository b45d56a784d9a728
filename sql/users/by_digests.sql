-- needs: look
-- The users whose uuid has one of these SHA-256 digests. Reads the whole table.
SELECT uuid, handle, display_name
FROM public.users
WHERE encode(sha256(convert_to(uuid::text, 'UTF8')), 'hex') = ANY(%(digests)s::text[])
ORDER BY handle, uuid
