-- Cognito's ids of the users with these handles; counts the users that had another one.
WITH changed AS (
  UPDATE public.users
  SET cognito_user_id = known.cognito_user_id
  FROM unnest(%(handles)s::text[], %(cognito_user_ids)s::text[]) AS known (handle, cognito_user_id)
  WHERE users.handle = known.handle
    AND users.cognito_user_id IS DISTINCT FROM known.cognito_user_id
  RETURNING users.uuid
)
SELECT count(*) FROM changed
