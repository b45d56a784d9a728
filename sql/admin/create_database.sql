-- needs: make
-- From template0, the only template that goes with any encoding: messages are Unicode.
CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0
