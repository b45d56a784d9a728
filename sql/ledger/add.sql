-- needs: destroy
-- Adds a migration to the ledger.
INSERT INTO public.cruddur_ops_migrations (source, stamp, name, checksum, state)
VALUES (%(source)s, %(stamp)s, %(name)s, %(checksum)s, %(state)s)
