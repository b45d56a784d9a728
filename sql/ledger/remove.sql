-- needs: destroy
-- Removes a migration from the ledger.
DELETE FROM public.cruddur_ops_migrations WHERE source = %(source)s AND stamp = %(stamp)s
