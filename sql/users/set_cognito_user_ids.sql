-- needs: write
-- Stores the Cognito ids of the users with these uuids; counts the users whose id changed.
WITH changed AS (
  UPDATE public.users
  SET cognito_user_id = known.cognito_user_id
  FROM unnest(%(uuids)s::uuid[], %(cognito_user_ids)s::text[]) AS known (uuid, cognito_user_id)
  WHERE users.uuid = known.uuid
    AND users.cognito_user_id IS DISTINCT FROM known.cognito_user_id
  RETURNING users.uuid
)
SELECT count(*) FROM changed
