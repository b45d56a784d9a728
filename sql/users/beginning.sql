-- needs: read
-- As people_beginning.sql, with emails.
SELECT DISTINCT beside.uuid, beside.handle, beside.display_name, beside.email,
  beside.cognito_user_id, beside.created_at
FROM unnest(%(spellings)s::text[]) AS spelling,
LATERAL (
  SELECT uuid, handle, display_name, email, cognito_user_id, created_at
  FROM public.users
  WHERE handle >= spelling
  ORDER BY handle
  LIMIT %(limit)s
) AS beside
