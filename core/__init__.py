"""The logic of Cruddur's two stores, used by the Invoke tasks and the admin UI alike.

Nothing in this package connects, reads the environment or logs when it is imported.
"""
