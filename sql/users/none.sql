-- needs: look
-- Whether there are no users at all.
SELECT NOT EXISTS (SELECT FROM public.users)
