-- needs: make
-- The environment marker: one row, which never changes once it is written.
CREATE TABLE IF NOT EXISTS public.cruddur_ops_environment (environment text NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS cruddur_ops_environment_one_row
  ON public.cruddur_ops_environment ((true))
