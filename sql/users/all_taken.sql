-- needs: read
-- Which of these handles, emails and uuids users have.
SELECT 'handle' AS field, handle AS value FROM public.users WHERE handle = ANY(%(handles)s::text[])
UNION ALL
SELECT 'email', email FROM public.users WHERE email = ANY(%(emails)s::text[])
UNION ALL
SELECT 'uuid', uuid::text FROM public.users WHERE uuid = ANY(%(uuids)s::uuid[])
