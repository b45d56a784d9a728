"""Every interleaving of the write path within a scope, explored completely.

The unmodified operations of ``core`` run on the project's model of the table, each in its own
greenlet, and stop at every request. The scheduler chooses the reply, the fault, the time and the
lag of a read, and tries every choice in turn.

An operation is a function of the answers it got. So it runs once for each sequence of answers, and
its next request is stored (:mod:`.runs`). Sequences after which it knows the same are explored as
one (:mod:`.parts`). The table is a value, and the effect of a request on it
is stored too (:mod:`.store`). A state of the whole is then a few numbers, and the search
(:mod:`.search`) checks each state once.
"""
