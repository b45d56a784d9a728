-- needs: make
-- The tables, with the columns of Cruddur's own tables, whose statements run on them. Keys and
-- constraints are stricter. No extension is needed.

CREATE TABLE public.users (
  uuid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  display_name text NOT NULL,
  handle text NOT NULL UNIQUE,
  email text NOT NULL UNIQUE,
  cognito_user_id text NOT NULL DEFAULT 'MOCK',
  created_at timestamptz NOT NULL DEFAULT current_timestamp
);

-- Cruddur looks up the user of a signed-in request by this column.
CREATE INDEX users_cognito_user_id ON public.users (cognito_user_id);

CREATE TABLE public.activities (
  uuid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_uuid uuid NOT NULL,
  message text NOT NULL,
  replies_count integer NOT NULL DEFAULT 0,
  reposts_count integer NOT NULL DEFAULT 0,
  likes_count integer NOT NULL DEFAULT 0,
  reply_to_activity_uuid uuid,
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT current_timestamp
);

-- These triggers do what a foreign key would do. Cruddur's own schema.sql drops the users first, and
-- Postgres refuses to drop a table that a foreign key refers to.
CREATE OR REPLACE FUNCTION public.cruddur_ops_require_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM public.users WHERE users.uuid = NEW.user_uuid FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE foreign_key_violation USING
      MESSAGE = 'the user of an activity does not exist',
      DETAIL = 'Key (user_uuid)=(' || NEW.user_uuid || ') is not in the table users.';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER activities_user
BEFORE INSERT OR UPDATE OF user_uuid ON public.activities
FOR EACH ROW EXECUTE FUNCTION public.cruddur_ops_require_user();

CREATE OR REPLACE FUNCTION public.cruddur_ops_delete_activities() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM public.activities WHERE activities.user_uuid = OLD.uuid;
  RETURN NULL;
END $$;

CREATE TRIGGER users_activities
AFTER DELETE ON public.users
FOR EACH ROW EXECUTE FUNCTION public.cruddur_ops_delete_activities();

-- Activities of one user, of all users, and replies to an activity, each newest first.
CREATE INDEX activities_of_user ON public.activities (user_uuid, created_at DESC, uuid DESC);
CREATE INDEX activities_newest ON public.activities (created_at DESC);
CREATE INDEX activities_replies ON public.activities (reply_to_activity_uuid, created_at DESC);

-- Cruddur's migrations store their progress here. New tables begin with none applied.
CREATE TABLE public.schema_information (
  id integer UNIQUE,
  last_successful_run text
);
INSERT INTO public.schema_information (id, last_successful_run) VALUES (1, '0');
