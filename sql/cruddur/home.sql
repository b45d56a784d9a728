-- needs: read
-- What Cruddur's home page reads: the activities of all users, newest first.
SELECT
  activities.uuid, users.display_name, users.handle, activities.message,
  activities.replies_count, activities.reposts_count, activities.likes_count,
  activities.expires_at, activities.created_at
FROM public.activities
LEFT JOIN public.users ON users.uuid = activities.user_uuid
ORDER BY activities.created_at DESC
