"""Search messages by their words: in all conversations of a user, or in the whole store."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from admin_app import access, actions, layout, login, resources, tables
from admin_app.access import Subject
from admin_app.search.searching import SHOWN, Question, Searching
from admin_app.store.jobs import Job
from core.dynamodb import price
from core.errors import CoreError, InputError
from core.models import Message
from core.postgres import find_person
from core.texts import excerpt
from core.timestamps import MICROSECOND
from core.usecases.conversations import messages_with_current_names

SUBJECT = Subject(actions.SEARCH_MESSAGES, "Why do you search the messages?")
_LOOK_EVERY_S = 1.0
_QUICK_S = 0.7
"""A search that ends within this time is shown at once."""
_FIELDS = ("words", "user", "sender", "after", "before")
_DAYS = ("after", "before")
_AROUND = 60


def page() -> None:
    """Show the form, and below it the matches of the latest search."""
    st.title("Search", anchor=False)
    if access.opened(SUBJECT) is None:
        return
    _form()
    if (problem := st.session_state.get("search problem")) is not None:
        layout.show_problem(problem)
    elif (searching := _latest()) is not None:
        _results(searching)
    layout.command("ddb.search", "--words", "TEXT", "--user", "HANDLE")


def _form() -> None:
    _fill_from_address()
    with st.form("search messages"):
        with st.container(key="fields", horizontal=True, vertical_alignment="bottom"):
            st.text_input("Words", key="search words", max_chars=200, type="search", width=360)
            st.text_input("Only conversations of", key="search user", placeholder="Handle",
                          max_chars=100, width=200)  # fmt: skip
            st.text_input("Written by", key="search sender", placeholder="Handle",
                          max_chars=100, width=200)  # fmt: skip
            st.date_input("From (UTC)", value=None, key="search after", width=150)
            st.date_input("Until (UTC)", value=None, key="search before", width=150)
        st.form_submit_button("Search", type="primary", icon=":material/search:",
                              on_click=_begin, args=(_latest(),))  # fmt: skip
    st.caption(f"Reads the conversations of one user; without a user, {_cost()}")


def _fill_from_address() -> None:
    """Fill in the search that the address names. It starts with a click, because it costs."""
    for name in _FIELDS:
        asked = st.query_params.get(name, "")
        if asked and f"search {name}" not in st.session_state:
            st.session_state[f"search {name}"] = _day(asked) if name in _DAYS else asked


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _cost() -> str:
    description = resources.description()
    units = description.scan_read_units if description else None
    if not units:
        return "the whole table: 0.5 RCU for every 4 KB."
    return f"the whole table: about {max(units, 0.5):,.0f} RCU, {price(units)} on demand."


def _latest() -> Searching | None:
    """The latest search of this tab."""
    latest = st.session_state.get("searching")
    return latest if isinstance(latest, Searching) else None


@login.action
def _begin(drawn: Searching | None) -> None:
    """Start a search; the previous one ends.

    ``drawn`` is the latest search when the button was drawn: a double click starts only one.
    """
    values = {name: st.session_state.get(f"search {name}") for name in _FIELDS}
    question, problem = _question_or_problem(values)
    st.session_state["search problem"] = problem
    if (latest := _latest()) is not None:
        if latest is not drawn and latest.question == question:
            return
        latest.job.stop()
    if question is None:
        return
    st.query_params.from_dict({name: str(value) for name, value in values.items() if value})
    desk = access.desk(access.reason_for(SUBJECT))
    searching = Searching(question, Job("search", "Search", login.person()))
    resources.jobs().note(searching.job)
    # Another click ends this run at any call of Streamlit's, and must find a search that has begun.
    st.session_state["searching"] = searching
    searching.begin(desk)
    searching.job.wait(_QUICK_S)


def _question_or_problem(values: dict[str, object]) -> tuple[Question | None, CoreError | None]:
    try:
        return _question(values), None
    except CoreError as error:
        return None, error


def _question(values: dict[str, object]) -> Question:
    words, user, sender = (str(values[name] or "").strip() for name in _FIELDS[:3])
    if not words:
        raise InputError("The search is empty", "Type a word of the message.")
    db = access.look().db
    people = [find_person(db, handle) for handle in (user, sender) if handle]
    return Question(
        words,
        user,
        sender,
        after=_instant(values["after"], -MICROSECOND),
        before=_instant(values["before"], timedelta(days=1)),
        about=tuple(person.uuid for person in people),
    )


def _instant(day: object, from_midnight: timedelta) -> datetime | None:
    """An instant seen from the beginning of a day; None without a day, or beyond all time."""
    try:
        return datetime.combine(day, time(), UTC) + from_midnight if isinstance(day, date) else None
    except OverflowError:
        return None


def _results(searching: Searching) -> None:
    if searching.job.is_running:
        _watch(searching)
    else:
        _show(searching)


@st.fragment(run_every=_LOOK_EVERY_S)
@login.required
def _watch(searching: Searching) -> None:
    """Show the matches so far; redraw the page when everything was read."""
    if not searching.job.is_running:
        st.rerun()
    st.button("Stop", key="stop search", on_click=login.action(searching.job.stop))
    _show(searching)


def _show(searching: Searching) -> None:
    job = searching.job
    if job.problem is not None:
        layout.show_problem(job.problem)
        return
    units = job.capacity.read_units
    extent = {True: "all read", False: "stopped"}.get(bool(job.result), "")
    if job.is_running:
        extent = "searching…"
    rest = f". The newest {SHOWN} are below" if searching.count > SHOWN else ""
    st.caption(
        f"{searching.count:,} found in {job.seen:,} items: {extent} · {tables.duration(job.took)},"
        f" {units:,g} RCU, {price(units)} on demand{rest}"
    )
    newest = _named(searching.newest)
    with st.container(gap=None, key="list-found"):
        for message in newest:
            _hit(message, searching.question)


def _named(messages: list[Message]) -> list[Message]:
    """The messages with the names in Postgres, or the stored names if it does not answer."""
    try:
        return messages_with_current_names(access.look().db, messages)
    except CoreError:
        return messages


def _hit(message: Message, question: Question) -> None:
    sender = message.sender.handle or message.sender.display_name or "unknown sender"
    label = (
        f"{layout.exact(message.created_at)} · **{layout.escaped(sender)}** ·"
        f" {layout.escaped(excerpt(message.text, question.words, _AROUND))}"
    )
    reader = question.user or message.sender.handle
    if not reader:
        st.markdown(label)
        return
    st.page_link(
        "views/conversations.py",
        label=label,
        query_params={
            "user": reader,
            "conversation": message.message_group_uuid,
            "at": message.sort_key,
        },
    )


page()
