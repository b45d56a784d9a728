"""Planted faults in the write path, and whether a check detects them.

``python -m model.mutation`` in ``tests/`` plants each of :mod:`.mutants` in a copy of ``core`` and
runs the exploration of the small scopes and the unit tests over it; ``invoke test --mutants`` does.
"""
