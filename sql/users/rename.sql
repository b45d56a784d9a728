-- needs: write
-- New names and a new email for one user.
UPDATE public.users
SET handle = %(handle)s, display_name = %(display_name)s, email = %(email)s
WHERE uuid = %(uuid)s::uuid
RETURNING uuid
