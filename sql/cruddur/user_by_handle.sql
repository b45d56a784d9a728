-- needs: read
-- What Cruddur's app reads of the person whom a message is for.
SELECT users.uuid, users.display_name, users.handle
FROM public.users
WHERE users.handle = %(handle)s
