"""Every interleaving within a scope: the write path, explored to its end.

The unmodified operations of ``core`` run over the project's model of the table, each in a greenlet
of its own, and stop at every request. What they are answered, what goes wrong, what time it is and
how far a read lags is the scheduler's to choose, and it chooses everything in turn.

An operation is a function of the answers it got. So it runs once for each row of answers, and what
it does next is remembered (:mod:`.runs`); the table is a value, and what a request does to it is
remembered too (:mod:`.store`). A state of the whole is then a few numbers, and the search
(:mod:`.search`) looks at each state once.
"""
