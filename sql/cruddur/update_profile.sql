-- needs: write
-- What Cruddur's app does when someone saves their profile.
UPDATE public.users
SET bio = %(bio)s, display_name = %(display_name)s
WHERE users.cognito_user_id = %(cognito_user_id)s
RETURNING handle
