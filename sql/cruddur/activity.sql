-- needs: read
-- What Cruddur's app reads about an activity that it has just added.
SELECT
  activities.uuid, users.display_name, users.handle, activities.message,
  activities.created_at, activities.expires_at, activities.reply_to_activity_uuid
FROM public.activities
JOIN public.users ON users.uuid = activities.user_uuid
WHERE activities.uuid = %(activity_uuid)s
