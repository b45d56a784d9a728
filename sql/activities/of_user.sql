-- needs: read
-- A page of one user's activities, newest first. The first page starts after 'infinity'.
SELECT
  uuid, user_uuid, message, replies_count, reposts_count, likes_count,
  reply_to_activity_uuid, expires_at, created_at, created_at::text AS created_at_text
FROM public.activities
WHERE user_uuid = %(user_uuid)s
  AND (created_at, uuid) < (%(before)s::timestamptz, %(before_uuid)s::uuid)
ORDER BY created_at DESC, uuid DESC
LIMIT %(limit)s
