"""One person in both stores: Postgres and the message table."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from invoke.collection import Collection

from core.wording import counted
from task_groups import terminal
from task_groups.running import opened, run, task
from task_groups.terminal import Context, help_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.access import Stores
    from core.usecases.certificates import Certificate
    from core.usecases.people import Profile, Rename


@task(
    csv=True,
    help=help_for("prod", "json", "user", "reason"),
    opens={"postgres": "reading", "dynamodb": "reading"},
)
def show(
    ctx: Context, user: str = "", prod: bool = False, json: bool = False, reason: str = ""
) -> None:
    """Show the counts of a user's data in both stores, and whether the user is held."""
    from core.usecases import people

    terminal.required(user, "--user HANDLE")
    run().tell_target()
    user_uuid = _uuid_of(user)
    with opened(ctx, about=[user_uuid]) as stores:
        profile = people.show(stores, user_uuid)
        terminal.tell_cost(stores.table.capacity)
    facts = _facts(profile)
    if json:
        terminal.print_json([facts])
        return
    rows = [(name.replace("_", " "), "–" if fact is None else fact) for name, fact in facts.items()]
    terminal.print_table(("what", "value"), rows, "")


@task(
    help=help_for(
        "prod",
        "user",
        "reason",
        file="The folder to write; a zip if its name ends in .zip.",
        own_only="Leave out the messages of others.",
    ),
    opens={"postgres": "reading", "dynamodb": "reading"},
)
def export(
    ctx: Context,
    user: str = "",
    file: str = "",
    own_only: bool = False,
    prod: bool = False,
    reason: str = "",
) -> None:
    """Write all data about a user in both stores to files for the user."""
    from pathlib import Path

    from core.usecases.person_export import export_person

    terminal.required(user, "--user HANDLE")
    terminal.required(file, "--file PATH")
    run().tell_target()
    user_uuid = _uuid_of(user)
    with opened(ctx, about=[user_uuid]) as stores:
        if terminal.is_dry(ctx):
            terminal.print_line(f"would write all that both stores hold of {user} to {file}")
            return
        with terminal.progress("exporting conversations") as progress:
            done = export_person(
                stores,
                user_uuid,
                Path(file),
                own_only=own_only,
                progress=lambda count: progress(count, None),
            )
        terminal.tell_cost(stores.table.capacity)
    terminal.print_line(
        f"wrote {counted(done.conversations, 'conversation')} with"
        f" {counted(done.messages, 'message')} and"
        f" {counted(done.activities, 'activity', 'activities')} to {done.path}",
        conversations=done.conversations,
        messages=done.messages,
        activities=done.activities,
        file=str(done.path),
    )


def _facts(profile: Profile) -> dict[str, Any]:
    from core.timestamps import sort_key

    user, hold = profile.user, profile.hold
    return {
        "user_uuid": user.uuid,
        "user_handle": user.handle,
        "user_display_name": user.display_name,
        "email": user.email,
        "cognito_user_id": user.cognito_user_id,
        "created_at": sort_key(user.created_at) if user.created_at else None,
        "activities": profile.activities,
        "conversations": profile.conversations,
        "held_at": hold.held_at if hold else None,
        "hold_reason": hold.reason if hold else None,
    }


_HOLDING = {"postgres": "looking", "dynamodb": "writing"}


@task(help=help_for("prod", "confirm", "user", "reason"), opens=_HOLDING, asks_reason=True)
def hold(
    ctx: Context, user: str = "", prod: bool = False, confirm: str = "", reason: str = ""
) -> None:
    """Hold a user: none of the user's messages is removed until the release."""
    from core.usecases import people

    terminal.required(user, "--user HANDLE")
    run().tell_target()
    user_uuid = _uuid_of(user)
    with opened(ctx, about=[user_uuid]) as stores:
        is_new = people.hold(stores, user_uuid)
    if not terminal.is_dry(ctx):
        done = "is held" if is_new else "was held before; the hold and its reason stay"
        terminal.print_line(f"{user} {done}")


@task(help=help_for("prod", "confirm", "user", "reason"), opens=_HOLDING, asks_reason=True)
def release(
    ctx: Context, user: str = "", prod: bool = False, confirm: str = "", reason: str = ""
) -> None:
    """Release the hold on a user."""
    from core.usecases import people

    terminal.required(user, "--user HANDLE")
    run().tell_target()
    user_uuid = _uuid_of(user)
    with opened(ctx, about=[user_uuid]) as stores:
        was_held = people.release(stores, user_uuid)
    if not terminal.is_dry(ctx):
        terminal.print_line(f"{user} {'is released' if was_held else 'was not held'}")


def _rename_opens(_: Mapping[str, Any]) -> dict[str, str]:
    stores = {"postgres": "writing", "dynamodb": "writing"}
    return stores if run().settings.user_pool_id is None else stores | {"aws": "reading"}


@task(
    help=help_for(
        "prod",
        "json",
        "confirm",
        "user",
        handle="The new handle.",
        display_name="The new display name.",
        email="The new email.",
    ),
    opens=_rename_opens,
)
def rename(
    ctx: Context,
    user: str = "",
    handle: str = "",
    display_name: str = "",
    email: str = "",
    prod: bool = False,
    json: bool = False,
    confirm: str = "",
) -> None:
    """Give a user another handle, display name or email, also in the inboxes of others."""
    from core.usecases import people

    terminal.required(user, "--user HANDLE")
    run().tell_target()
    pool_id = run().settings.user_pool_id
    user_uuid = _uuid_of(user, handle)
    with opened(ctx, about=[user_uuid]) as stores:
        done = people.rename(
            stores, user_uuid, new_handle=handle, display_name=display_name, email=email
        )
        cognito = people.compare_with_cognito(stores, done.user, pool_id) if pool_id else ""
    if not terminal.is_dry(ctx):
        _print_renamed(done, cognito, json)
    if cognito:
        terminal.note(f"{cognito}. Change it there too.")
    terminal.tell_cost(stores.table.capacity)


def _print_renamed(done: Rename, cognito: str, json: bool) -> None:
    user = done.user
    if json:
        terminal.print_json(
            [
                {
                    "user_uuid": user.uuid,
                    "user_handle": user.handle,
                    "user_display_name": user.display_name,
                    "email": user.email,
                    "conversations": done.conversations,
                    "changed_inbox_rows": done.changed_rows,
                    "cognito": cognito or None,
                }
            ]
        )
        return
    rows = counted(done.changed_rows, "inbox row")
    terminal.print_line(
        f"{user.handle} is {user.display_name}, {user.email}; changed {rows} in"
        f" {counted(done.conversations, 'conversation')}"
    )


def _uuid_of(handle: str, new_handle: str = "") -> str:
    """The uuid of the person a task is about, for the audit."""
    from core.commands import Command, option
    from core.errors import NotFoundError
    from core.postgres import find_person

    db = run().door.look().db
    try:
        return find_person(db, handle).uuid
    except NotFoundError as error:
        try:
            renamed = find_person(db, new_handle) if new_handle else None
        except NotFoundError:
            renamed = None
        if renamed is None:
            raise
        raise NotFoundError(
            f"{error.problem}, but there is {renamed.handle}",
            "If an earlier rename was interrupted, finish it",
            Command("people.rename", (option("--user", renamed.handle),)),
        ) from error


@task(
    help=help_for(
        "prod",
        "json",
        "confirm",
        "user",
        "reason",
        user_uuid="The uuid of a user whom Postgres no longer has, instead of --user.",
        file="Where to write the certificate as JSON, and as text in a .txt. Nowhere unless given.",
    ),
    opens={"postgres": "destroying", "dynamodb": "destroying"},
    asks_everywhere=True,
    asks_reason=True,
)
def erase(
    ctx: Context,
    user: str = "",
    user_uuid: str = "",
    file: str = "",
    prod: bool = False,
    json: bool = False,
    confirm: str = "",
    reason: str = "",
) -> None:
    """Remove a user from both stores for good, after showing what that is; print a certificate."""
    from core.errors import UsageError
    from core.purposes import Purpose
    from core.usecases import erasure

    if bool(user) == bool(user_uuid):
        raise UsageError("The user is not clear", "Give --user HANDLE or --user-uuid UUID.")
    if file.endswith(".txt"):
        raise UsageError("--file is for the JSON, and the text is the .txt", "End it with .json.")
    if file and os.path.isdir(file):  # noqa: PTH112 - Path.is_dir raises below a closed folder
        raise UsageError(f"{file} is a folder", "Name a file in it with --file.")
    run().tell_target()
    erased = erasure.whom(run().door.look().db, user, user_uuid, reason=run().known_reason)
    action = run().action
    if terminal.is_dry(ctx):
        with opened(ctx, action.narrowed(Purpose.WRITING), about=[erased]) as stores:
            terminal.print_line(f"would remove {erasure.plan(stores, erased)}")
        return
    looking = replace(action.narrowed(Purpose.VERIFYING), asks_everywhere=False, asks_reason=False)
    with opened(ctx, looking) as stores:
        terminal.note(f"would remove {erasure.plan(stores, erased)}")
    with opened(ctx, about=[erased]) as stores:
        terminal.note(f"if this is interrupted: run it again with --user-uuid {erased}")
        certificate = _erase(stores, erased)
        terminal.tell_cost(stores.table.capacity)
    _print_certificate(certificate, file, json)


def _erase(stores: Stores, user_uuid: str) -> Certificate:
    from core.usecases import erasure

    settings = run().settings
    with terminal.progress("erasing", "items") as progress:
        return erasure.erase(
            stores,
            user_uuid,
            audit_path=settings.audit_path,
            pool_id=settings.user_pool_id,
            progress=lambda _, done: progress(done, None),
        )


def _print_certificate(certificate: Certificate, file: str, json: bool) -> None:
    import json as json_module
    from pathlib import Path

    from core.errors import InputError
    from core.private_files import replace_private_file

    if file:
        path = Path(file)
        try:
            replace_private_file(path, json_module.dumps(certificate.as_json(), indent=2) + "\n")
            replace_private_file(path.with_suffix(".txt"), certificate.as_text())
        except OSError as error:
            raise InputError(
                f"The user is erased. Could not write {file}: {error.strerror}",
                "Run it again with another --file",
            ) from error
    if json:
        terminal.print_json([certificate.as_json()])
        return
    terminal.print_lines(certificate.as_text().removesuffix("\n"))


ns = Collection(show, export, rename, hold, release, erase)
