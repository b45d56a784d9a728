"""The door: the only place that opens a store and decides who may open it.

Both interfaces get their stores only from a :class:`Door`. It asks for what an action needs (a
reason, the store's typed name), writes the audit line, and returns handles that cannot do more than
they were opened for.
"""

from __future__ import annotations

from core.access.actions import Action, Store
from core.access.audit import Actor, AuditEntry, AuditLog, read_audit
from core.access.door import Door, Stores
from core.access.grants import Grant, Visitor

__all__ = [
    "Action",
    "Actor",
    "AuditEntry",
    "AuditLog",
    "Door",
    "Grant",
    "Store",
    "Stores",
    "Visitor",
    "read_audit",
]
