"""The door: the one place where a store is opened, and where it is decided who may open it.

Both interfaces get their stores from a :class:`Door` and from nowhere else. It asks for what an
action needs (a reason, the store's typed name), leaves the audit line, and returns handles that
cannot do more than they were opened for.
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
