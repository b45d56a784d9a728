-- needs: destroy
-- What Cruddur's schema uses of the extension uuid-ossp, where a server does not have that.
CREATE FUNCTION public.uuid_generate_v4() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT gen_random_uuid()'
