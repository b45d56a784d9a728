-- needs: read
-- Which of the two a user has already; Cruddur's own tables do not see to it themselves.
SELECT
  coalesce(bool_or(handle = %(handle)s), false) AS handle,
  coalesce(bool_or(email = %(email)s), false) AS email
FROM public.users
WHERE handle = %(handle)s OR email = %(email)s
