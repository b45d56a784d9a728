-- needs: read
-- Whether another user has the handle or the email. Cruddur's own tables do not check this.
SELECT
  coalesce(bool_or(handle = %(handle)s), false) AS handle,
  coalesce(bool_or(email = %(email)s), false) AS email
FROM public.users
WHERE (handle = %(handle)s OR email = %(email)s) AND uuid <> %(uuid)s::uuid
