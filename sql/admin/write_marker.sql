-- needs: make
-- Marks the database, unless it is marked already.
INSERT INTO public.cruddur_ops_environment (environment)
SELECT %(environment)s
WHERE NOT EXISTS (SELECT FROM public.cruddur_ops_environment)
