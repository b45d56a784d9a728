-- needs: look
-- Reads how far Cruddur's migrations got. Its scripts read any row and write the one with id 1.
SELECT last_successful_run
FROM public.schema_information
ORDER BY id = 1 DESC
LIMIT 1
