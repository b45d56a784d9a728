-- needs: write
-- Adds the demo users and activities that are missing, and counts what it added. A user is
-- identified by handle, an activity by author and text.
WITH person AS (
  SELECT *
  FROM unnest(
    %(uuids)s::uuid[], %(handles)s::text[], %(display_names)s::text[], %(emails)s::text[]
  ) WITH ORDINALITY AS person (uuid, handle, display_name, email, position)
),
added_user AS (
  INSERT INTO public.users (uuid, handle, display_name, email, cognito_user_id)
  SELECT person.uuid, person.handle, person.display_name, person.email, 'MOCK'
  FROM person
  WHERE NOT EXISTS (SELECT FROM public.users WHERE users.handle = person.handle)
  RETURNING users.uuid, users.handle
),
author AS (
  SELECT added_user.uuid, person.handle, person.position
  FROM added_user JOIN person USING (handle)
  UNION ALL (
    SELECT DISTINCT ON (person.position) users.uuid, person.handle, person.position
    FROM public.users JOIN person USING (handle)
    ORDER BY person.position, users.created_at
  )
),
activity (position, message, age) AS (
  VALUES
    (1, 'Moved the whole stack to one region over the weekend. Nobody noticed, which is the point.',
      interval '3 days'),
    (1, 'Tip of the day: name your index after the question it answers.', interval '26 hours'),
    (1, 'Coffee first, then the migration.', interval '2 hours'),
    (2, 'Does anybody else read the release notes aloud to the rubber duck?', interval '2 days'),
    (2, 'Paired on the message inbox today. It finally sorts, New Year included.',
      interval '5 hours'),
    (3, 'Arrived. The station is loud, the tea is acceptable.', interval '30 hours')
),
added_activity AS (
  INSERT INTO public.activities (uuid, user_uuid, message, created_at, expires_at)
  SELECT
    identity.uuid, author.uuid, activity.message,
    now() - activity.age, now() - activity.age + interval '10 days'
  FROM activity
  JOIN author USING (position)
  CROSS JOIN LATERAL
    (SELECT md5('activity ' || author.handle || ' ' || activity.message)::uuid) AS identity (uuid)
  WHERE NOT EXISTS (SELECT FROM public.activities WHERE activities.uuid = identity.uuid)
  RETURNING activities.uuid
)
SELECT json_build_object(
  'users', (SELECT count(*) FROM added_user),
  'activities', (SELECT count(*) FROM added_activity)
) AS added
