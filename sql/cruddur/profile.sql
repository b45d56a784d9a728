-- needs: read
-- What Cruddur's profile page reads: the user with their bio and count, and their activities.
SELECT
  (
    SELECT row_to_json(shown)
    FROM (
      SELECT
        users.uuid, users.handle, users.display_name, users.bio,
        (SELECT count(*) FROM public.activities WHERE activities.user_uuid = users.uuid) AS cruds
    ) AS shown
  ) AS profile,
  (
    SELECT coalesce(json_agg(row_to_json(post)), '[]'::json)
    FROM (
      SELECT
        activities.uuid, users.display_name, users.handle, activities.message,
        activities.created_at, activities.expires_at
      FROM public.activities
      WHERE activities.user_uuid = users.uuid
      ORDER BY activities.created_at DESC
      LIMIT 40
    ) AS post
  ) AS activities
FROM public.users
WHERE users.handle = %(handle)s
