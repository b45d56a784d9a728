"""What can be done with the selected user: rename, hold, release, export, erase."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator

import streamlit as st

from admin_app import access, actions, latest_downloads, layout, login, resources
from admin_app.access import Desk
from admin_app.composer import Once, once
from admin_app.conversations import addresses
from admin_app.downloads import Download, Progress, Source
from admin_app.people import work
from admin_app.people.forgetting import ERASURE
from admin_app.store import progress
from admin_app.store.jobs import Job
from core.dynamodb import held_users
from core.errors import CoreError, InputError
from core.models import User
from core.usecases import erasure
from core.usecases.certificates import Certificate
from core.usecases.erasure import Plan

_FILE = "user"
_LOOK_EVERY_S = 1.0


def show(user: User, reason: str) -> None:
    """Show the forms; ``reason`` is why the users were opened."""
    _export(user, reason)
    if not access.may_write():
        st.info("Read-only. To change a user, start the admin UI with --write.")
        return
    _rename(user)
    _hold(user)
    _erase(user)


def show_erasure() -> None:
    """Show the erasure that runs, or the certificate of the latest one."""
    certificate = progress.outcome(ERASURE)
    if not isinstance(certificate, Certificate):
        return
    st.success("The user is erased.", icon=":material/check_circle:")
    expander = st.expander("Certificate", key="certificate", on_change="rerun")
    if not expander.open:
        return  # as the command lines: see ``layout.commands``
    with expander:
        st.code(certificate.as_text(), language=None)
        _file_button(
            "Prepare certificate",
            f"erasure-{certificate.reference[:8]}.txt",
            "text/plain",
            functools.partial(_certificate_parts, certificate),
        )


# Files


def _file_button(label: str, name: str, media_type: str, source: Source) -> None:
    """A button that prepares a file, then the link that saves it, once and within a minute."""
    st.button(
        label,
        key=f"prepare {name}",
        icon=":material/download:",
        on_click=_prepare,
        args=(name, media_type, source),
    )
    download = latest_downloads.latest(_FILE, name)
    if (problem := latest_downloads.problem(_FILE, name)) is not None:
        layout.show_problem(problem)
    elif download is not None and download.is_waiting:
        _save(download)


@st.fragment(run_every=_LOOK_EVERY_S)
@login.required
def _save(download: Download) -> None:
    """Show the link as long as it works."""
    if not download.is_waiting:
        st.rerun()
    st.link_button("Save file", download.path, type="primary", icon=":material/save:")


@login.action
def _prepare(name: str, media_type: str, source: Source) -> None:
    """Begin the download, audited; the browser fetches it within a minute."""
    latest_downloads.begin(_FILE, name, media_type, "lines", source, about=name)


def _certificate_parts(certificate: Certificate, _: Progress) -> Generator[str]:
    yield certificate.as_text()


def _export(user: User, reason: str) -> None:
    source = functools.partial(work.export, access.desk(reason), user)
    _file_button("Prepare export", f"{user.uuid}.jsonl", "application/jsonl", source)


# Names


def _rename(user: User) -> None:
    box = once(f"rename {user.uuid}")
    fields = {name: f"{box.key} {name}" for name in ("handle", "name", "email")}
    with st.expander("Rename"), st.form(box.key):
        st.text_input("New handle", key=fields["handle"], max_chars=100, placeholder=user.handle)
        st.text_input(
            "New display name", key=fields["name"], max_chars=200, placeholder=user.display_name
        )
        st.text_input("New email", key=fields["email"], max_chars=254, placeholder=user.email)
        st.form_submit_button("Rename", on_click=_renamed, args=(box, box.key, fields, user))
        if box.problem is not None:
            layout.show_problem(box.problem)


@login.action
def _renamed(box: Once, key: str, fields: dict[str, str], user: User) -> None:
    names = {name: str(st.session_state.get(of_field) or "") for name, of_field in fields.items()}
    box.run(key, functools.partial(work.rename, access.desk(), user, names))
    st.session_state.pop("names read at", None)
    if box.problem is None and (handle := names["handle"].strip().removeprefix("@")):
        addresses.rename_user(user.handle, handle)
        st.query_params["user"] = handle


# Holds


def _hold(user: User) -> None:
    is_held = user.uuid in set(held_users(access.look().table))
    act = work.release if is_held else work.hold
    label = "Release" if is_held else "Hold"
    box = once(f"{label} {user.uuid}")
    with st.expander(f"{label} the user"), st.form(box.key):
        st.caption("While a user is held, nothing of the user is removed, expired or erased.")
        st.text_input("Reason", key=f"{box.key} why", max_chars=access.MOST_OF_A_REASON)
        st.form_submit_button(label, on_click=_held, args=(box, box.key, act, user))
        if box.problem is not None:
            layout.show_problem(box.problem)


@login.action
def _held(box: Once, key: str, act: Callable[[Desk, User], None], user: User) -> None:
    desk = access.desk(reason=str(st.session_state.get(f"{key} why") or ""))
    box.run(key, functools.partial(act, desk, user))


# Erasure


def _erase(user: User) -> None:
    """Show the plan, then ask for the reason and the table's name."""
    name = f"erasure plan {user.uuid}"
    with st.expander("Erase the user"):
        st.caption("Removes the user from both stores for good. First see what that is.")
        progress.button(
            "Plan the erasure",
            name,
            work.plan(access.desk(), user),
            icon=":material/search:",
            can_stop=False,
        )
        plan = progress.outcome(name)
        if isinstance(plan, Plan):
            _erase_form(user, plan)


def _erase_form(user: User, plan: Plan) -> None:
    st.write(f"{plan}.")
    serial = resources.jobs().serial(ERASURE)
    key = f"erase {user.uuid} {serial}"
    with st.form(key, enter_to_submit=False):
        st.text_input(
            "Reason, without naming the user", key=f"{key} why", max_chars=access.MOST_OF_A_REASON
        )
        layout.table_name_box(f"{key} name")
        st.form_submit_button(
            "Erase", type="primary", on_click=_begin_erasure, args=(user, key, serial)
        )
        if isinstance(problem := st.session_state.get(_refused(user)), CoreError):
            layout.show_problem(problem)


def _refused(user: User) -> str:
    """The name in the session of why an erasure was not begun."""
    return f"erasure refused {user.uuid}"


@login.action
def _begin_erasure(user: User, key: str, serial: int) -> None:
    """Start the erasure, or say beside the boxes why not."""
    desk = access.desk(
        reason=str(st.session_state.get(f"{key} why", "")),
        typed_name=str(st.session_state.get(f"{key} name", "")).strip(),
    )
    try:
        if not desk.visitor.typed_name:
            raise InputError("The table’s name is missing", "Type it to erase the user.")
        desk.door.refuse_another_name(actions.ERASE_USER, desk.visitor.typed_name)
        erasure.refuse_names(user, desk.visitor.reason)
        job = Job(ERASURE, "Erasure", login.person(), about=user.uuid)
        erasing = work.erase(desk, user.uuid, resources.target().settings)
        if not progress.start(job, serial, erasing):
            raise InputError(
                "Nothing was erased: another erasure has begun meanwhile",
                "Erase when it has ended.",
            )
    except CoreError as error:
        st.session_state[_refused(user)] = error
        return
    st.session_state.pop(_refused(user), None)
    st.query_params.pop("user", None)
    addresses.forget_user(user.handle)
