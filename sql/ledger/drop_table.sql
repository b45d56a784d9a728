-- needs: destroy
-- Drops the ledger: what it says is not true of the tables that are there now.
DROP TABLE IF EXISTS public.cruddur_ops_migrations
