"""The admin UI's page list, and the parts of every page: the login and the target.

Run by ``invoke admin``, which passes the app's permissions on the command line::

    python -m admin_app -- [--prod | --target NAME] [--write]
"""

from __future__ import annotations

from contextlib import nullcontext

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from admin_app import access, banner, layout, navigation, resources
from admin_app.people.forgetting import forget_the_erased
from core.errors import CoreError, LoginEndedError

STORE = "store"


def _pages() -> list[StreamlitPage]:
    return [
        st.Page(
            "views/conversations.py",
            title="Conversations",
            icon=":material/forum:",
            default=True,
        ),
        st.Page(
            "views/new_conversation.py", title="New conversation", icon=":material/edit_square:"
        ),
        st.Page("views/message_groups.py", title="Message groups", icon=":material/table_rows:"),
        st.Page("views/search.py", title="Search", icon=":material/search:"),
        st.Page("views/users.py", title="Users", icon=":material/group:"),
        st.Page("views/store.py", title="Store", icon=":material/database:", url_path=STORE),
        st.Page("views/audit.py", title="Audit", icon=":material/history:"),
    ]


def main() -> None:
    """Run the script, once for every interaction."""
    # First: st.navigation would make the page's symbol the icon, and a browser asks Google for it.
    st.set_page_config(page_icon="💬", layout="wide")
    pages = _pages()
    page = st.navigation(pages, position="hidden")
    st.set_page_config(page_title=f"{page.title} · Cruddur Ops")
    if st.session_state.get("page") != page.title:
        st.session_state["page"], st.session_state["has arrived"] = page.title, True
    forget_the_erased()
    navigation.show(pages, page)
    try:
        # This page is shown also if a store does not answer: it says which one.
        answering = page.url_path == STORE
        with layout.asking_both_stores() if answering else nullcontext():
            why = access.enter(resources.target(), answering=answering)
        if why is not None:
            banner.show(resources.target(), why, bool(resources.options().write))
            page.run()
    except LoginEndedError:
        st.rerun()
    except CoreError as error:
        layout.show_problem(error)
        st.button("Try again", type="primary")  # in this session, with its drafts


main()
