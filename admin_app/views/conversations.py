"""Find a person, see their conversations, read one, answer in it."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator

import streamlit as st

from admin_app import access, actions, layout, login, person_search, resources
from admin_app.access import Subject
from admin_app.conversations import addresses, elements, inbox_list, thread
from core.access import Stores
from core.commands import Command
from core.errors import CoreError, LoginEndedError, NotAMemberError, NotFoundError, StoreError
from core.models import Person
from core.postgres import find_person, similar_handles
from core.usecases import conversations
from core.usecases.conversations import Membership

_MOST_MEMBERSHIPS = 50
_NAMES_ARE_GOOD_FOR_S = 60.0


@st.fragment
@login.required
def page() -> None:
    """People and their conversations on the left, the thread on the right.

    One fragment, so that a click or a keystroke runs only this part.
    """
    addresses.return_from_elsewhere()
    # The place of the fragment in this one: before anything that a person can click. A click during
    # the first run has Streamlit drop what this fragment has drawn last, but not what is in there.
    watch = st.container(key="watch")
    is_open = bool(addresses.user() and addresses.conversation())
    left, right = st.columns([3, 7], gap="small")
    # The same parts with and without an open conversation: the list is not mounted anew.
    people = left.container(key="pane-list", gap="xsmall")
    with people:
        person = _choose_person()
    # The messages first: what a link opens does not wait for the list beside it.
    with right, st.container(key="pane-thread"):
        if person is not None and is_open:
            _part(_show_conversation, person)
        elif person is not None:
            _nothing_open("Choose a conversation.")
        else:
            _nothing_open("Find a person, then choose a conversation.")
    if person is not None:
        with people:
            _part(_show_inbox, person)
    with watch:
        _watch(person, itertools.count())


@st.fragment(run_every=resources.TICK_S)
@login.required
def _watch(person: Person | None, looks: Iterator[int]) -> None:
    """Have the page drawn again once it would show something else.

    A tick runs only this, which draws nothing as long as nothing is new. The first of the ``looks``
    is the page's own run.
    """
    if not next(looks) or not addresses.is_drawn():
        return
    if "no answer" in st.session_state:
        st.rerun()  # where a problem is drawn instead of a pane, nothing asks for news
    if person is not None and _has_news(person):
        elements.announce_news()


def _has_news(person: Person) -> bool:
    """Whether a pane would change; also if a store does not answer, which the page says itself."""
    try:
        return _inbox_has_news(person) or _conversation_has_news(person)
    except CoreError:
        return True


def _inbox_has_news(person: Person) -> bool:
    stores = access.opened_before(_inbox_of(person))
    return stores is not None and inbox_list.has_news(person, stores)


def _conversation_has_news(person: Person) -> bool:
    group = addresses.conversation()
    stores = access.opened_before(_conversation_of(person, group)) if group else None
    return stores is not None and thread.has_news(stores, _membership(stores, person, group), group)


def _part(draw: Callable[[Person], None], person: Person) -> None:
    """Draw each pane separately: if one's store does not answer, the other is unchanged."""
    try:
        draw(person)
    except LoginEndedError:
        st.rerun()
    except CoreError as error:
        if isinstance(error, StoreError):
            st.session_state["no answer"] = True
        layout.show_problem(error)


def _nothing_open(words: str) -> None:
    with st.container(
        key="nothing-open", height=320, border=False,
        horizontal_alignment="center", vertical_alignment="center",
    ):  # fmt: skip
        st.markdown(f":material/forum: {words}", width="content")
        st.caption("Press / to search, and ? in a conversation to see its keys.", width="content")


def _choose_person() -> Person | None:
    """Show the person whose conversations are shown, as the link names them."""
    sought = person_search.search_box("Find a person", "sought", is_bare=True)
    handle = addresses.user()
    st.session_state.pop("no answer", None)
    try:
        person = _known_person(handle) if handle else None
        if sought or not handle:
            _people(sought)
        elif person is None:
            _no_such_user(handle)
    except CoreError as error:
        st.session_state["no answer"] = True
        layout.show_problem(error)
        return None
    if person is not None:
        if not addresses.conversation():  # it has a title of its own
            _name_tab(person)
        _heading(person)
    return person


def _name_tab(person: Person) -> None:
    shown = person.display_name or person.handle
    st.set_page_config(page_title=f"{shown} · Conversations · Cruddur Ops")


def _people(sought: str) -> None:
    with st.container(gap="xxsmall", key="list-people"):
        if person_search.matches(sought, "people", _open_person):
            return
    if sought:
        st.info(f"No handle or name matches {layout.escaped(sought)}.")
    else:
        person_search.no_users()


def _heading(person: Person) -> None:
    elements.draw(
        "person",
        {
            "name": person.display_name or person.handle,
            "handle": person.handle,
            "commands": layout.command_lines(_commands(person)),
        },
    )


def _commands(person: Person) -> list[Command]:
    group = addresses.conversation()
    of_user = ("--user", person.handle)
    listed = [layout.command_of("ddb.patterns.list-conversations", *of_user)]
    if group:
        of_group = (*of_user, "--conversation", group)
        listed += [
            layout.command_of("ddb.patterns.get-conversation", *of_group),
            layout.command_of("ddb.patterns.create-message", *of_group, "--message", "TEXT"),
        ]
    return listed


def _known_person(handle: str) -> Person | None:
    """The chosen person, as read within the last minute; None if no user has that handle."""
    _forget_old_names()
    known = st.session_state.get("person")
    if not isinstance(known, Person) or known.handle != handle:
        try:
            known = find_person(access.look().db, handle)
        except NotFoundError:
            return None
        st.session_state["person"] = known
    return known


def _forget_old_names() -> None:
    """Read again who is who: another tab may have renamed a user, or given away a handle."""
    if time.monotonic() - st.session_state.get("names read at", -math.inf) > _NAMES_ARE_GOOD_FOR_S:
        for key in ("person", "memberships read"):
            st.session_state.pop(key, None)
        st.session_state["names read at"] = time.monotonic()


def _no_such_user(handle: str) -> None:
    """Say so, and offer similar handles: those with the same beginning, ever shorter."""
    st.info("No such user.", icon=":material/person_off:")
    st.text(handle)
    similar = similar_handles(access.look().db, handle, limit=person_search.MATCHES)
    with st.container(gap="xxsmall", key="list-similar"):
        if similar:
            st.caption("Similar handles:")
        for known in similar:
            st.button(
                layout.escaped(f"@{known}"),
                key=f"similar {known}",
                width="stretch",
                on_click=_open_person,
                args=(known,),
            )


def _open_person(handle: str) -> None:
    st.session_state["sought"] = ""
    addresses.open_user(handle)


def _inbox_of(person: Person) -> Subject:
    return Subject(actions.OPEN_INBOX, "Why do you open this inbox?", about=(person.uuid,))


def _conversation_of(person: Person, group: str) -> Subject:
    return Subject(
        actions.OPEN_CONVERSATION,
        "Why do you open this conversation?",
        about=(person.uuid,),
        conversation=group,
    )


def _show_inbox(person: Person) -> None:
    """Show the person's conversations, once there is a reason."""
    try:
        stores = access.opened(_inbox_of(person))
    except LoginEndedError:
        raise
    except CoreError as error:
        inbox_list.show_again(person, error)
        return
    if stores is not None:
        inbox_list.show(person, stores)


def _show_conversation(person: Person) -> None:
    group = addresses.conversation()
    subject = _conversation_of(person, group)
    try:
        stores = access.opened(subject)
        if stores is None:
            _back(person, "back to list")  # where the list is not beside it
            return
        place = _membership(stores, person, group)
    except (NotFoundError, NotAMemberError) as error:
        _not_theirs(error, person)
        return
    except LoginEndedError:
        raise
    except CoreError as error:
        thread.show_again(group, error)
        return
    st.set_page_config(page_title=f"{thread.title(place)} · Cruddur Ops")
    thread.show(stores, place, group, access.reason_for(subject))


def _not_theirs(error: NotFoundError | NotAMemberError, person: Person) -> None:
    _name_tab(person)
    st.info(layout.escaped(error.problem.rstrip(".") + "."), icon=":material/info:")
    _back(person, "back")


def _back(person: Person, key: str) -> None:
    st.button("Back to their conversations", on_click=_open_person, args=(person.handle,), key=key)


def _membership(stores: Stores, person: Person, group: str) -> Membership:
    """The members, as read within the last minute: they never change, but their names may."""
    known: dict[tuple[str, str], Membership] = st.session_state.setdefault("memberships", {})
    asked, fresh = (person.uuid, group), st.session_state.setdefault("memberships read", set())
    if asked not in known or asked not in fresh:
        while len(known) >= _MOST_MEMBERSHIPS:
            known.pop(next(iter(known)))
        known[asked] = conversations.membership_of(stores.db, stores.table, person, group)
        fresh.add(asked)
    return known[asked]


page()
