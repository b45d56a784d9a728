-- needs: destroy
-- Creates the database in which migrations are tried.
CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0
