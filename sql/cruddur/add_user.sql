-- needs: write
-- What Cruddur's confirmation function does when someone signs up.
INSERT INTO public.users (display_name, email, handle, cognito_user_id)
VALUES (%(display_name)s, %(email)s, %(handle)s, %(cognito_user_id)s)
