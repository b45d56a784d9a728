-- needs: make
-- Where a database says what it is. What it says stays what the first mark made it.
CREATE TABLE IF NOT EXISTS public.cruddur_ops_environment (environment text NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS cruddur_ops_environment_one_row
  ON public.cruddur_ops_environment ((true))
