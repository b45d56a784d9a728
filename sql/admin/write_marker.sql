-- needs: make
-- Says what the database is, unless it said so before.
INSERT INTO public.cruddur_ops_environment (environment)
SELECT %(environment)s
WHERE NOT EXISTS (SELECT FROM public.cruddur_ops_environment)
