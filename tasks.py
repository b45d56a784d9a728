"""Cruddur Ops: every task of the command line. `invoke --list` prints this table of contents."""

from invoke import Collection

ns = Collection()
