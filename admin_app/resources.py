"""What the pages share: the target, a client, a database, each made once for the whole server."""

from __future__ import annotations

import argparse
import sys

import streamlit as st

from core.dynamodb.client import Table, open_table
from core.dynamodb.table import store_state
from core.postgres.database import Database
from core.settings import Settings
from core.targets import StoreState, Target, resolve

_STATE_TTL_S = 60


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
