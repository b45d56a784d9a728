-- needs: look
-- How many users there are.
SELECT count(*) FROM public.users
