"""The admin UI's page list, and the parts of every page: the login and the target.

Run by ``invoke admin``, which passes the app's permissions on the command line::

    python -m admin_app -- [--prod | --target NAME] [--write]
"""

from __future__ import annotations

import streamlit as st

from admin_app import access, layout, resources
from core.errors import CoreError, LoginEndedError

STORE = "store"


def main() -> None:
    """Run the script, once for every interaction."""
    st.set_page_config(page_icon="💬", layout="wide")
    page = st.navigation(
        [
            st.Page(
                "views/conversations.py",
                title="Conversations",
                icon=":material/forum:",
                default=True,
            ),
            st.Page(
                "views/new_conversation.py", title="New conversation", icon=":material/edit_square:"
            ),
            st.Page(
                "views/message_groups.py", title="Message groups", icon=":material/table_rows:"
            ),
            st.Page("views/search.py", title="Search", icon=":material/search:"),
            st.Page("views/users.py", title="Users", icon=":material/group:"),
            st.Page("views/store.py", title="Store", icon=":material/database:", url_path=STORE),
            st.Page("views/audit.py", title="Audit", icon=":material/history:"),
        ],
        position="top",
    )
    st.set_page_config(page_title=f"{page.title} · Cruddur Ops", page_icon="💬", layout="wide")
    if st.session_state.get("page") != page.title:
        st.session_state["page"], st.session_state["has arrived"] = page.title, True
    layout.style()
    try:
        # This page is shown also if a store does not answer: it says which one.
        answering = page.url_path == STORE
        access.require_permission(resources.target(), answering=answering)
        why = access.why_production(answering=answering)
        layout.banner(resources.target(), why, resources.options().write)
        page.run()
    except LoginEndedError:
        st.rerun()
    except CoreError as error:
        layout.show_problem(error)
        st.button("Try again", type="primary")  # in this session, with its drafts


main()
