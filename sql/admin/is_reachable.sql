-- needs: look
-- The shortest question.
SELECT true
