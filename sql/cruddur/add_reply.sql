-- needs: write
-- What Cruddur's app does when someone answers: adds an activity that names another.
INSERT INTO public.activities (user_uuid, message, reply_to_activity_uuid)
VALUES (
  (SELECT users.uuid FROM public.users WHERE users.cognito_user_id = %(cognito_user_id)s LIMIT 1),
  %(message)s,
  %(activity_uuid)s
)
RETURNING uuid
