-- needs: destroy
-- Drops the tables that sql/schema.sql creates. The environment marker stays.
DROP TABLE IF EXISTS
  public.activities, public.users, public.schema_information, public.cruddur_ops_migrations
