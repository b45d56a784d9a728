-- needs: look
-- What the database says it is. There is one row; were there more, 'local' would not be believed.
SELECT environment
FROM public.cruddur_ops_environment
ORDER BY environment = 'local'
LIMIT 1
