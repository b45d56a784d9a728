-- needs: make
-- The tables. They hold what Cruddur's own tables hold, and its own statements run on them; keys and
-- constraints are stricter. No extension is needed.

CREATE TABLE public.users (
  uuid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  display_name text NOT NULL,
  handle text NOT NULL UNIQUE,
  email text NOT NULL UNIQUE,
  cognito_user_id text NOT NULL DEFAULT 'MOCK',
  created_at timestamptz NOT NULL DEFAULT current_timestamp
);

-- Cruddur finds the person of a signed-in request by this column.
CREATE INDEX users_cognito_user_id ON public.users (cognito_user_id);

CREATE TABLE public.activities (
  uuid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_uuid uuid NOT NULL REFERENCES public.users (uuid) ON DELETE CASCADE,
  message text NOT NULL,
  replies_count integer NOT NULL DEFAULT 0,
  reposts_count integer NOT NULL DEFAULT 0,
  likes_count integer NOT NULL DEFAULT 0,
  reply_to_activity_uuid uuid,
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT current_timestamp
);

-- The activities of one person, of everybody, and in answer to another, each newest first.
CREATE INDEX activities_of_user ON public.activities (user_uuid, created_at DESC, uuid DESC);
CREATE INDEX activities_newest ON public.activities (created_at DESC);
CREATE INDEX activities_replies ON public.activities (reply_to_activity_uuid, created_at DESC);

-- Cruddur's migrations keep here how far they came. New tables have had none of them.
CREATE TABLE public.schema_information (
  id integer UNIQUE,
  last_successful_run text
);
INSERT INTO public.schema_information (id, last_successful_run) VALUES (1, '0');
