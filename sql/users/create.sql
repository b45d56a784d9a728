-- needs: write
-- One new user.
INSERT INTO public.users (uuid, handle, display_name, email, cognito_user_id)
VALUES (%(uuid)s, %(handle)s, %(display_name)s, %(email)s, 'MOCK')
RETURNING created_at
