-- needs: destroy
-- The text about a user on the profile page of the last Cruddur.
-- present: SELECT EXISTS (
-- present:   SELECT FROM pg_catalog.pg_attribute
-- present:   WHERE attrelid = to_regclass('public.users') AND attname = 'bio' AND NOT attisdropped
-- present: )
-- migrate:up
ALTER TABLE public.users ADD COLUMN bio text;

-- migrate:down
ALTER TABLE public.users DROP COLUMN bio;
