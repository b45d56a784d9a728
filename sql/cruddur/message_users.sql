-- needs: read
-- What Cruddur's app reads before it starts a conversation: the sender and the other person.
SELECT
  users.uuid, users.display_name, users.handle,
  CASE users.cognito_user_id = %(cognito_user_id)s WHEN true THEN 'sender' ELSE 'recv' END AS kind
FROM public.users
WHERE users.cognito_user_id = %(cognito_user_id)s OR users.handle = %(handle)s
