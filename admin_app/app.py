"""The admin UI's page list, and what is on every page: who may be here, and the target.

Run by ``invoke admin``, which says on the command line what the app may do::

    python -m admin_app -- [--prod] [--write]
"""

from __future__ import annotations

import streamlit as st

from admin_app import access, layout, resources
from core.errors import CoreError, LoginEndedError

STORE = "store"


def main() -> None:
    """One run of the script: once for every interaction."""
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
        # The page that says what does not answer is shown also when a store does not.
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
