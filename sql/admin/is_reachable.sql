-- needs: look
-- Whether the server answers.
SELECT true
