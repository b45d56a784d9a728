-- needs: write
-- New users, a line for each, in the text format of COPY.
COPY public.users ({columns}) FROM STDIN
