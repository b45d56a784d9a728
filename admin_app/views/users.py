"""Users, their posts, the number of their conversations, and a form to add a user."""

from __future__ import annotations

import functools
import uuid
from datetime import UTC, datetime

import streamlit as st

from admin_app import access, actions, layout, login, person_search, resources, turning_pages
from admin_app.access import Subject
from admin_app.composer import Once, once
from admin_app.people import one_user, table
from admin_app.records import table as records
from core.access import Stores
from core.dynamodb import count_conversations
from core.errors import CoreError, LoginEndedError
from core.models import User
from core.postgres import (
    Activity,
    bare_handle,
    create_user,
    find_user,
    list_activities,
    search_users,
)
from core.usecases.cognito_link import link_states

SUBJECT = Subject(actions.OPEN_USERS, "Why do you open the users?")
PAGE = 25
ACTIVITIES = 20
_COLUMNS = {
    "time": "Posted (UTC)",
    "message": "Message",
    "replies": "Replies",
    "reposts": "Reposts",
    "likes": "Likes",
    "expires": "Expires (UTC)",
}


def page() -> None:
    """Show the table of users, the selected user, and the form."""
    st.title("Users", anchor=False)
    if (stores := access.opened(SUBJECT)) is None:
        return
    with st.container():
        one_user.show_erasure()
    handle = st.query_params.get("user", "")
    # The same parts with and without an opened user: what is drawn stays where it is. The styles
    # show the user beside the table, or in its place in a narrow window.
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(key="users"):
        _list(stores)
    if handle:
        with right, st.container(key="detail"):
            _chosen(stores, handle)
    layout.command("db.update-cognito-user-ids")
    _new_user()


def _list(stores: Stores) -> None:
    shown, following = _listed(stores)
    if shown or following:  # a search may look through many users before the next match
        problem = st.container()  # in view, where what is below the table may not be
        _table(shown)
        with st.container(horizontal=True, vertical_alignment="center"):
            _turn_pages(following)
            try:
                _on_demand(shown)
            except LoginEndedError:
                raise
            except CoreError as error:
                with problem:
                    layout.show_problem(error)
    elif st.session_state.get("q"):
        st.info("No handle, name or email matches.")
    else:
        person_search.no_users()


def _listed(stores: Stores) -> tuple[list[User], str | None]:
    """The users of the shown page, and the cursor of the next page."""
    sought = person_search.search_box("Find a user", "q", "Handle, name or email", in_address=True)
    pages = _pages(sought)
    page = search_users(stores.db, sought, limit=PAGE, after=pages[-1])
    return list(page.entries), page.cursor


def _pages(sought: str) -> list[str | None]:
    """The cursors of the pages up to the shown one; another search starts at the first."""
    if st.session_state.get("users pages of") != sought:
        st.session_state["users pages of"] = sought
        st.session_state["users pages"] = [None]
    pages: list[str | None] = st.session_state["users pages"]
    return pages


def _turn_pages(following: str | None) -> None:
    pages: list[str | None] = st.session_state["users pages"]
    st.button(
        "Previous",
        on_click=turning_pages.go_back,
        args=(pages,),
        disabled=len(pages) == 1,
        icon=":material/chevron_left:",
    )
    st.caption(f"Page {len(pages)}", width="content")
    st.button(
        "Next",
        on_click=turning_pages.go_on,
        args=(pages, following),
        disabled=following is None,
        icon=":material/chevron_right:",
    )


def _table(shown: list[User]) -> None:
    counts: dict[str, int] = st.session_state.setdefault("conversation counts", {})
    signed_up: dict[str, str] = st.session_state.setdefault("cognito states", {})
    table.show(shown, counts, signed_up)


def _on_demand(shown: list[User]) -> None:
    if st.button("Count their conversations", help="Reads them: 0.5 RCU per 4 KB a user"):
        for user in shown:
            counted = count_conversations(access.look().table, user.uuid)
            st.session_state["conversation counts"][user.uuid] = counted
        st.rerun()
    target = resources.target()
    pool_id, setting = target.settings.user_pool_id, target.source_of_user_pool
    if st.button(
        "Ask Cognito",
        disabled=pool_id is None,
        help=f"Who has signed up. Set {setting} first." if pool_id is None else None,
    ):
        st.session_state["cognito states"] = _cognito_states(pool_id or "", shown)
        st.rerun()


def _cognito_states(pool_id: str, shown: list[User]) -> dict[str, str]:
    """The pool's data about each user, by uuid."""
    desk = access.desk(access.reason_for(SUBJECT))
    with desk.open(actions.ASK_COGNITO) as stores:
        return dict(link_states(stores.aws, pool_id, shown))


def _chosen(stores: Stores, handle: str) -> None:
    """Show the user; a problem is shown in the same place, in view."""
    try:
        _detail(stores, find_user(stores.db, handle))
    except LoginEndedError:
        raise
    except CoreError as error:
        layout.show_problem(error)


def _detail(stores: Stores, user: User) -> None:
    st.set_page_config(page_title=f"{user.display_name or user.handle} · Users · Cruddur Ops")
    with st.container(horizontal=True, vertical_alignment="center", key="user"):
        st.header(layout.escaped(user.display_name or user.handle), anchor=False)
        st.button(
            "Close",
            key="close user",
            type="tertiary",
            icon=":material/close:",
            on_click=_close,
        )
    st.text(f"@{user.handle}\n{user.email}")
    since = f"{user.created_at:%-d %b %Y}" if user.created_at else "an unreadable time"
    states: dict[str, str] = st.session_state.get("cognito states", {})
    link = layout.escaped(states.get(user.uuid, table.link(user)))
    st.caption(f"Since {since} · Cognito: {link}")
    st.caption(layout.escaped(user.uuid))
    st.page_link(
        "views/conversations.py",
        label="Open their conversations",
        icon=":material/forum:",
        query_params={"user": user.handle},
    )
    one_user.show(user, access.reason_for(SUBJECT))
    _activities(stores, user)


def _close() -> None:
    st.query_params.pop("user", None)


def _activities(stores: Stores, user: User) -> None:
    """The user's posts, newest first; the reader's scrolling loads another page."""
    known = st.session_state.get("activities")
    if known is None or known[0] != user.uuid:
        known = (user.uuid, [], None)
    user_uuid, entries, cursor = known
    if not entries or (records.is_scrolled() and cursor is not None):
        page = list_activities(stores.db, user_uuid, limit=ACTIVITIES, after=cursor)
        entries, cursor = [*entries, *page.entries], page.cursor
        st.session_state["activities"] = (user_uuid, entries, cursor)
    if not entries:
        st.info("No activities yet.")
        return
    rows = [_activity_row(entry) for entry in entries]
    records.show(
        "activities", "Activities", _COLUMNS, rows, subject=user_uuid, has_more=cursor is not None
    )


def _activity_row(entry: Activity) -> list[str]:
    counts = (entry.replies_count, entry.reposts_count, entry.likes_count)
    return [
        _minute(entry.created_at),
        entry.message,
        *(f"{count:,}" for count in counts),
        _minute(entry.expires_at),
    ]


def _minute(instant: datetime | None) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}" if instant else ""


def _new_user() -> None:
    st.header("New user", anchor=False)
    if not access.may_write():
        st.info("Read-only. To add a user, start the admin UI with --write.")
        return
    box = once("new user")
    fields = {name: f"{box.key} {name}" for name in ("handle", "name", "email")}
    with st.form(box.key):
        st.text_input("Handle", key=fields["handle"], max_chars=100, placeholder="without the @")
        st.text_input("Display name", key=fields["name"], max_chars=200)
        st.text_input("Email", key=fields["email"], max_chars=254)
        st.form_submit_button("Add", type="primary", on_click=_add, args=(box, box.key, fields))
        if box.problem is not None:
            layout.show_problem(box.problem)
    if box.done and box.problem is None:
        st.success(f"Added {layout.escaped(st.session_state.get('added user', ''))}.")


@login.action
def _add(box: Once, key: str, fields: dict[str, str]) -> None:
    values = {
        name: str(st.session_state.get(key_of_field) or "") for name, key_of_field in fields.items()
    }
    st.session_state["added user"] = values["handle"]
    st.session_state.pop("users pages of", None)
    box.run(key, functools.partial(_create, access.desk(), values))
    if box.problem is None:
        st.query_params["user"] = bare_handle(values["handle"])


def _create(desk: access.Desk, values: dict[str, str]) -> None:
    """Add the user, audited. Does not call Streamlit: see ``Once``."""
    user_uuid = str(uuid.uuid4())
    with desk.open(actions.CREATE_USER, about=[user_uuid]) as stores:
        create_user(
            stores.db, values["handle"], values["name"], values["email"], user_uuid=user_uuid
        )


page()
