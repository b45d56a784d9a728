-- needs: make
-- The table that Cruddur's scripts expect.
CREATE TABLE public.schema_information (id integer UNIQUE, last_successful_run text)
