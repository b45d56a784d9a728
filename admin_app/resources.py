"""What the pages share: the target, a client, a database, each made once for the whole server."""

from __future__ import annotations

import argparse
import sys

import streamlit as st

from admin_app.jobs import Jobs
from core.dynamodb.client import Table, open_table
from core.dynamodb.description import TableDescription, describe_table
from core.dynamodb.table import store_state
from core.errors import CoreError
from core.postgres import admin
from core.postgres.database import Database
from core.settings import Settings
from core.targets import StoreState, Target, resolve

_STATE_TTL_S = 60
_DESCRIPTION_TTL_S = 30


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """What ``invoke admin`` said this app may do: ``prod``, ``write``."""
    parser = argparse.ArgumentParser(prog="invoke admin")
    parser.add_argument("--prod", action="store_true")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args(sys.argv[1:] if arguments is None else arguments)


@st.cache_resource
def target() -> Target:
    """The one target of this server, for as long as it runs."""
    return resolve(Settings.from_env(), prod=options().prod)


@st.cache_resource
def _shared_table() -> Table:
    return open_table(target())


def table() -> Table:
    """The message table, with a meter of this run's own."""
    return _shared_table().metered()


@st.cache_resource(on_release=Database.close)
def database() -> Database:
    """The users' database. Safe to share between threads; reconnects by itself."""
    return Database(target().postgres)


@st.cache_data(ttl=_STATE_TTL_S, show_spinner=False)
def state() -> StoreState:
    """What the table says of itself: whether it is production's. Asked once a minute."""
    return store_state(_shared_table())


@st.cache_resource
def quick_table() -> Table:
    """The message table for descriptions: who does not answer at once is not waited for."""
    return open_table(target(), quick=True)


@st.cache_data(ttl=_DESCRIPTION_TTL_S, show_spinner=False)
def description() -> TableDescription | None:
    """How DynamoDB describes the message table; None where it is not there."""
    return describe_table(quick_table())


def answering_state() -> StoreState:
    """What the stores say of themselves, as far as they answer: the table, or else the database.

    For the page that tells what does not answer. Where neither does, there is nothing to guard.
    """
    try:
        description()  # fails sooner than what follows
        return state()
    except CoreError:
        pass
    try:
        return admin.state(target().postgres)
    except CoreError:
        return StoreState(target().table_name, None, holds_data=False)


@st.cache_resource(on_release=Jobs.stop_all)
def jobs() -> Jobs:
    """The long pieces of work that were begun on this server."""
    return Jobs()
