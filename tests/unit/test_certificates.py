"""The certificate of an erasure: the copies of users' data that it names."""

from __future__ import annotations

import re

import tasks
from admin_app import actions
from core.access.audit import AuditEntry, AuditLog
from core.usecases.certificates import COPIES, known_copies


def test_every_task_and_action_that_copies_users_data_is_named() -> None:
    names = [*tasks.ns.task_names, *(action.name for action in actions.ALL)]
    assert {name for name in names if re.search("dump|download|export|scan", name)} == set(COPIES)


def test_the_copies_are_those_of_the_audit(tmp_path) -> None:
    path = tmp_path / "audit.jsonl"
    for what in ("user exported", "inbox opened"):
        AuditLog(path).write(AuditEntry("2026-01-02", {}, "production", {}, what, "reading"))
    assert known_copies(path) == [("2026-01-02", "user exported")]
