-- needs: read
-- A sample of users without anything that identifies them. Columns that only some databases have,
-- such as a bio, are left out.
SELECT
  uuid::text,
  'Person ' || number AS display_name,
  'person_' || number AS handle,
  'person_' || number || '@example.com' AS email,
  'MOCK-' || number AS cognito_user_id,
  created_at::text
FROM (
  SELECT *, row_number() OVER (ORDER BY uuid) AS number
  FROM (SELECT * FROM public.users LIMIT %(limit)s) AS sample
) AS numbered
