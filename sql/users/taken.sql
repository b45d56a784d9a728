-- needs: read
-- Whether a user already has this handle or this email. Cruddur's own tables do not check it.
SELECT
  coalesce(bool_or(handle = %(handle)s), false) AS handle,
  coalesce(bool_or(email = %(email)s), false) AS email
FROM public.users
WHERE handle = %(handle)s OR email = %(email)s
