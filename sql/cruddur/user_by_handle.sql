-- needs: read
-- What Cruddur's app reads about the receiver of a message.
SELECT users.uuid, users.display_name, users.handle
FROM public.users
WHERE users.handle = %(handle)s
