-- needs: read
-- What Cruddur's page of one activity reads: the activity, and its answers as JSON. It compares the
-- answers' column with a uuid, which only a uuid column allows.
SELECT
  activities.uuid, users.display_name, users.handle, activities.message,
  activities.replies_count, activities.reposts_count, activities.likes_count,
  activities.expires_at, activities.created_at,
  (
    SELECT coalesce(json_agg(row_to_json(reply)), '[]'::json)
    FROM (
      SELECT
        answers.uuid, authors.display_name, authors.handle, answers.message,
        answers.replies_count, answers.reposts_count, answers.likes_count,
        answers.reply_to_activity_uuid, answers.created_at
      FROM public.activities AS answers
      LEFT JOIN public.users AS authors ON authors.uuid = answers.user_uuid
      WHERE answers.reply_to_activity_uuid = activities.uuid
      ORDER BY activities.created_at
    ) AS reply
  ) AS replies
FROM public.activities
LEFT JOIN public.users ON users.uuid = activities.user_uuid
WHERE activities.uuid = %(activity_uuid)s
