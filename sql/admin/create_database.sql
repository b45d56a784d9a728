-- needs: make
-- Messages need Unicode; only template0 can be copied with another encoding.
CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0
