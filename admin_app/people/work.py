"""What the page does with one user, in both stores. Does not call Streamlit."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from admin_app import actions
from admin_app.access import Desk
from admin_app.downloads import Progress
from admin_app.store.jobs import Job, Work
from core.errors import CoreError
from core.models import User
from core.settings import Settings
from core.usecases import erasure, people
from core.usecases.certificates import Certificate
from core.usecases.erasure import Plan
from core.usecases.person_export import export_as_text


def rename(desk: Desk, user: User, names: dict[str, str]) -> None:
    """Give the user other names, audited."""
    with desk.open(actions.RENAME_USER, about=[user.uuid]) as stores:
        people.rename(
            stores,
            user.uuid,
            new_handle=names["handle"],
            display_name=names["name"],
            email=names["email"],
        )


def hold(desk: Desk, user: User) -> None:
    """Hold the user, audited."""
    desk.require_reason()
    with desk.open(actions.HOLD_USER, about=[user.uuid]) as stores:
        people.hold(stores, user.uuid)


def release(desk: Desk, user: User) -> None:
    """Release the hold on the user, audited."""
    desk.require_reason()
    with desk.open(actions.RELEASE_USER, about=[user.uuid]) as stores:
        people.release(stores, user.uuid)


def export(desk: Desk, user: User, progress: Progress) -> Generator[str]:
    """Everything that both stores have about the user, as JSON Lines, audited."""
    with desk.open(actions.EXPORT_USER, about=[user.uuid]) as stores:
        for seen, line in enumerate(export_as_text(stores, user.uuid)):
            progress(seen)
            yield line


def plan(desk: Desk, user: User) -> Work:
    """The :class:`Plan` of an erasure: it only counts."""

    def work(job: Job) -> Plan:
        with desk.open(actions.PLAN_ERASURE) as stores:
            return erasure.plan(stores, user.uuid)

    return work


def erase(desk: Desk, user_uuid: str, settings: Settings) -> Work:
    """The :class:`Certificate` of the erasure that this does."""

    def work(job: Job) -> Certificate:
        with desk.open(actions.ERASE_USER, about=[user_uuid]) as stores:
            stores.table = job.metered(stores.table)
            return erasure.erase(
                stores,
                user_uuid,
                audit_path=Path(settings.audit_path),
                pool_id=settings.user_pool_id,
                progress=lambda _, done: _go_on(job, done),
            )

    return work


def _go_on(job: Job, done: int) -> None:
    if not job.go_on(max(job.seen, done)):
        raise CoreError("The erasure was stopped", "Erase the user again to finish it.")
