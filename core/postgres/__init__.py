"""Cruddur's relational store: users, activities, and the upkeep of their database.

Drivers' errors are translated in :mod:`core.postgres.translation`; SQL lives in ``sql/``.
"""
