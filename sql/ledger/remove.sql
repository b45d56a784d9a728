-- needs: destroy
-- Takes a migration out of the ledger.
DELETE FROM public.cruddur_ops_migrations WHERE source = %(source)s AND stamp = %(stamp)s
