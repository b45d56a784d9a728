-- needs: destroy
-- The first Cruddur has an integer here, which no activity's uuid fits: its answers are lost. Any
-- other type is what a later migration of Cruddur's made, and stays. sql/schema.sql has a uuid. The
-- column is made anew, because changing its type would rewrite the whole table under its lock.
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
