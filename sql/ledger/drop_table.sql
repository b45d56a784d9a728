-- needs: destroy
-- Drops the ledger, because it does not match the restored tables.
DROP TABLE IF EXISTS public.cruddur_ops_migrations
