-- needs: look
-- The environment marker. If there were several rows, any other value wins over 'local'.
SELECT environment
FROM public.cruddur_ops_environment
ORDER BY environment = 'local'
LIMIT 1
