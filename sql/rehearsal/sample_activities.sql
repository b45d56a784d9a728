-- needs: read
-- A sample of those users' activities: each text is replaced by one of the same length.
SELECT
  uuid::text, user_uuid::text, repeat('x', length(message)) AS message,
  replies_count, reposts_count, likes_count, expires_at::text, created_at::text
FROM public.activities
WHERE user_uuid = ANY (%(users)s::uuid[])
LIMIT %(limit)s
