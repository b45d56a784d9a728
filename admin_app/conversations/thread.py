"""One conversation on the screen: its messages, the way through them, and what to look for."""

from __future__ import annotations

from datetime import date

import streamlit as st

from admin_app import access, layout, login
from admin_app.access import Subject
from admin_app.conversations.messages import Thread
from core.dynamodb import Search, Table, search_further, search_messages
from core.errors import CoreError
from core.models import Message
from core.usecases import conversations

REFRESH_S = 4
HEIGHT = 460
_BEGINNING = (
    '<p tabindex="0" style="text-align: center; font-size: 0.875rem; margin: 0">'
    "Beginning of the conversation</p>"
)
"""What scrolls must hold something that the keyboard gets to, or it scrolls for a mouse alone."""


@st.fragment(run_every=REFRESH_S)
@login.required
def show(user_uuid: str, group: str, subject: Subject) -> None:
    """The messages, oldest first; new ones appear by themselves."""
    if (stores := access.opened(subject)) is None:
        st.rerun()
    # A rerun of the fragment gets the arguments of the run before: the place is in the link. It is
    # a sort key, or the beginning of one.
    place = st.query_params.get("at", "")
    thread = _loaded(group, place)
    problem = None
    try:
        _load(thread, stores.table)
        thread.entries = conversations.messages_with_current_names(stores.db, thread.entries)
    except CoreError as error:
        problem = error
    with st.container(
        height=HEIGHT,
        autoscroll=not (place or thread.has_newer),
        gap="small",
        key=f"thread {group} {place}",  # another place is not scrolled to where this one was
    ):
        if thread.has_older:
            st.button("Show older messages", key="older", width="stretch")
        else:
            st.html(_BEGINNING)
        _messages(thread, user_uuid)
        if thread.has_newer:
            st.button("Show newer messages", key="newer", width="stretch")
    if thread.at or thread.has_newer:
        st.button("Newest messages", key="newest", icon="⤵️", on_click=go_to, args=("",))
    if problem is not None:
        layout.show_problem(problem)


def _loaded(group: str, place: str) -> Thread:
    thread = st.session_state.get("thread")
    if not isinstance(thread, Thread) or (thread.message_group_uuid, thread.at) != (group, place):
        thread = st.session_state["thread"] = Thread(group, place)
    return thread


def _load(thread: Thread, table: Table) -> None:
    if st.session_state.get("older"):
        thread.load_older(table)
    elif st.session_state.get("newer"):
        thread.load_newer(table)
    else:
        thread.refresh(table)


def _messages(thread: Thread, user_uuid: str) -> None:
    day = ""
    for message in thread.entries:
        if (message_day := _day(message)) != day:
            day = message_day
            st.caption(day, text_alignment="center")
        if message.removal:
            _removal(message)
            continue
        is_sought = bool(thread.at) and message.sort_key == thread.at
        _bubble(message, mine=message.sender.uuid == user_uuid, is_sought=is_sought)
    if not thread.entries:
        st.info("No messages yet.")


def _day(message: Message) -> str:
    return f"{message.created_at:%A, %-d %B %Y}" if message.created_at else "Unknown day"


def _removal(message: Message) -> None:
    """The line in a removed message's place: it names nobody."""
    time = f"{message.created_at:%H:%M}" if message.created_at else layout.escaped(message.sort_key)
    st.caption(f"{message.text} · {time}", text_alignment="center")


def _bubble(message: Message, *, mine: bool, is_sought: bool) -> None:
    who = message.sender.display_name or message.sender.handle or "unknown sender"
    time = f"{message.created_at:%H:%M}" if message.created_at else layout.escaped(message.sort_key)
    with (
        st.chat_message("user" if mine else "other", avatar=None if mine else ":material/person:"),
        st.container(gap="xxsmall", border=is_sought),
    ):
        st.caption(f"**{layout.escaped(who)}** · {time}{' · found' if is_sought else ''}")
        # Never Markdown or HTML: what people wrote is shown as they wrote it.
        st.text(message.text)


def go_to(place: str) -> None:
    """Have the page, and its link, show the conversation from ``place`` on."""
    st.session_state.pop("thread", None)
    if place:
        st.query_params["at"] = place
    else:
        st.query_params.pop("at", None)


def find(group: str, table: Table) -> None:
    """Words and dates to look for in the conversation."""
    with st.expander("Find a message", icon="🔎"):
        with st.container(horizontal=True):
            words = st.text_input("Search this conversation", type="search", max_chars=200,
                                  key=f"words {group}", width=260)  # fmt: skip
            st.date_input("Go to a date", value=None, key=f"date {group}", width=160,
                          on_change=_go_to_date, args=(group,))  # fmt: skip
        if words:
            _hits(_search(group, words, table))


def _go_to_date(group: str) -> None:
    chosen = st.session_state.get(f"date {group}")
    go_to(chosen.isoformat() if isinstance(chosen, date) else "")


def _search(group: str, words: str, table: Table) -> Search:
    """The search, done once: a rerun does not read the conversation again."""
    search = st.session_state.get("search")
    if isinstance(search, Search) and (search.message_group_uuid, search.words) == (group, words):
        if not st.session_state.get("further"):
            return search
        search = search_further(table, search)
    else:
        search = search_messages(table, group, words)
    st.session_state["search"] = search
    return search


def _hits(search: Search) -> None:
    whole = "the whole conversation" if search.cursor is None else "the newest of it"
    st.caption(f"{len(search.hits):,} found in {search.looked_at:,} messages: {whole}")
    with layout.rows("hits", len(search.hits), most=4, height=240):
        for hit in search.hits:
            st.button(
                f"{layout.exact(hit.created_at)} · **{layout.escaped(hit.sender.handle)}** ·"
                f" {layout.escaped(_excerpt(hit.text, search.words))}",
                key=f"hit {hit.sort_key}",
                width="stretch",
                on_click=go_to,
                args=(hit.sort_key,),
            )
    if search.cursor is not None:
        st.button("Search further back", key="further")


def _excerpt(text: str, words: str, around: int = 40) -> str:
    """The part of ``text`` that holds ``words``, with something before and after it."""
    start = max(0, text.casefold().find(words.casefold()) - around)
    end = start + 2 * around + len(words)
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
