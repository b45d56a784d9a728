"""The message table: keys, items, the access patterns and the write path.

Functions take a :class:`~core.dynamodb.client.Table`; plain models come back. Raw items leave
this package only where storage itself is the subject (``scan``).
"""
