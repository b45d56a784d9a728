-- needs: destroy
-- The function of uuid-ossp that Cruddur's schema uses, for a server without the extension.
CREATE FUNCTION public.uuid_generate_v4() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT gen_random_uuid()'
