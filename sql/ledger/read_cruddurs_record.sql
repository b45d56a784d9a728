-- needs: look
-- Reads the progress of Cruddur's migrations. Its scripts read any row and write the one with id 1.
SELECT last_successful_run
FROM public.schema_information
ORDER BY id = 1 DESC
LIMIT 1
