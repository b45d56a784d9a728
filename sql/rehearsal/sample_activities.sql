-- needs: read
-- A sample of what those users posted: as long as it was, and without its text.
SELECT
  uuid::text, user_uuid::text, repeat('x', length(message)) AS message,
  replies_count, reposts_count, likes_count, expires_at::text, created_at::text
FROM public.activities
WHERE user_uuid = ANY (%(users)s::uuid[])
LIMIT %(limit)s
