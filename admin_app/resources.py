"""What the pages share, made once for the whole server: the target, its door, the jobs."""

from __future__ import annotations

import argparse
import sys

import streamlit as st

from admin_app.conversations.outbox import Outbox
from admin_app.conversations.shared_reads import SharedReads
from admin_app.store.jobs import Jobs
from core.access import AuditLog, Door, Store
from core.commands import program
from core.dynamodb import TableDescription, describe_table
from core.settings import Settings
from core.targets import Target, resolve

_STATE_TRUSTED_S = 60.0
_DESCRIPTION_TTL_S = 30

TICK_S = 5.0
"""The time between two checks of a tab for new messages."""

_SHARED_S = TICK_S - 0.5
"""Less than a tick, so a single tab asks at each tick."""


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """What ``invoke admin`` allows this app to do, and on which target."""
    parser = argparse.ArgumentParser(prog=f"{program()} admin")
    parser.add_argument("--prod", action="store_true")
    parser.add_argument("--target", default="")
    parser.add_argument("--profile", default="")
    parser.add_argument("--region", default="")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args(sys.argv[1:] if arguments is None else arguments)


@st.cache_resource
def target() -> Target:
    """The target of this server; it never changes."""
    chosen = options()
    return resolve(
        Settings.from_env(),
        prod=chosen.prod,
        name=chosen.target,
        profile=chosen.profile,
        region=chosen.region,
    )


@st.cache_resource(on_release=Door.close)
def door() -> Door:
    """The only way to both stores. It reads both markers, whatever is opened."""
    return Door(
        target(),
        AuditLog(target().settings.audit_path),
        checks=(Store.POSTGRES, Store.DYNAMODB),
        trust_s=_STATE_TRUSTED_S,
    )


@st.cache_data(ttl=_DESCRIPTION_TTL_S, show_spinner=False)
def description() -> TableDescription | None:
    """DynamoDB's description of the message table; None if there is no table."""
    return describe_table(door().look_quickly().table)


@st.cache_resource(on_release=Jobs.stop_all)
def jobs() -> Jobs:
    """The background jobs of this server."""
    return Jobs()


@st.cache_resource
def outbox() -> Outbox:
    """The messages that were sent from this server's pages."""
    return Outbox()


@st.cache_resource
def shared_reads() -> SharedReads:
    """The newest messages of open conversations, read once for all tabs."""
    return SharedReads(_SHARED_S)
