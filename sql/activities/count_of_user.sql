-- needs: look
-- How many activities a user has.
SELECT count(*)
FROM public.activities
WHERE user_uuid = %(user_uuid)s::uuid
