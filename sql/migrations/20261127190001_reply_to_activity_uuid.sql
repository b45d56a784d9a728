-- needs: destroy
-- The first Cruddur has an integer here, which cannot store an activity's uuid, so replies are lost.
-- Any other type is from a later migration of Cruddur's, and stays. sql/schema.sql has a uuid. The
-- column is dropped and added, because changing its type would rewrite the whole table under its lock.
-- present: SELECT EXISTS (
-- present:   SELECT FROM pg_catalog.pg_attribute
-- present:   WHERE attrelid = to_regclass('public.activities') AND NOT attisdropped
-- present:     AND attname = 'reply_to_activity_uuid' AND atttypid <> 'integer'::regtype
-- present: )
-- migrate:up
ALTER TABLE public.activities
  DROP COLUMN reply_to_activity_uuid,
  ADD COLUMN reply_to_activity_uuid uuid;

-- migrate:down
ALTER TABLE public.activities
  DROP COLUMN reply_to_activity_uuid,
  ADD COLUMN reply_to_activity_uuid integer;
