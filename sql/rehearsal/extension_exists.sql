-- needs: look
-- Whether this server has an extension.
SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = %(name)s)
