"""The two stores: what they are, who is connected, how they are, and how much is written."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from admin_app import access, layout, resources
from admin_app.composer import once
from core import doctor, messaging
from core.doctor import State
from core.dynamodb.activity import MessageCounts, count_by_hour, scan_cost
from core.dynamodb.client import Table
from core.dynamodb.table import describe, list_tables, stream_is_on
from core.dynamodb.verification import EXPLAINED, MENDABLE, Summary
from core.errors import CoreError, InputError, MissingSchemaError
from core.postgres import admin, users
from core.timestamps import now

HOURS, DAYS = 48, 30
MOST_TABLES = 100
ICONS = {State.OK: "✅", State.NOTE: "💡", State.BAD: "⚠️"}


def page() -> None:
    """Each part by itself: one that fails hides no other."""
    st.title("Store")
    table = resources.table()
    left, right = st.columns(2, gap="large")
    with left:
        _part("DynamoDB", functools.partial(_dynamodb, table))
    with right:
        _part("Postgres", _postgres)
    _part("Health", functools.partial(_health, table))
    _part("Messages over time", functools.partial(_over_time, table))
    st.caption(f"DynamoDB consumed for this page, just now: {table.capacity}")


def _part(title: str, draw: Callable[[], None]) -> None:
    st.header(title)
    try:
        draw()
    except CoreError as error:
        layout.show_problem(error)


def _dynamodb(table: Table) -> None:
    found = describe(table)
    if found is None:
        raise MissingSchemaError(f"there is no table {table.name}", "Run: invoke ddb.schema-load")
    st.session_state["table size"] = found.get("TableSizeBytes", 0)
    layout.facts(_table_facts(found))
    st.caption("DynamoDB itself counts items and bytes, about every six hours.")
    if st.button("List the account’s tables"):
        names = list(itertools.islice(list_tables(table), MOST_TABLES))
        st.dataframe([{"Table": name} for name in names], hide_index=True, alt="Tables")
    layout.command("ddb.list-tables")


def _table_facts(found: dict[str, Any]) -> dict[str, str]:
    indexes = found.get("GlobalSecondaryIndexes", [])
    billing = found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    stream = found.get("StreamSpecification", {}).get("StreamViewType", "")
    facts = {
        "Table": f"{found['TableName']}, {found.get('TableStatus', 'ACTIVE')}",
        "Indexes": ", ".join(
            f"{index['IndexName']} ({index.get('IndexStatus', 'ACTIVE')})" for index in indexes
        ),
        "Items": f"{found.get('ItemCount', 0):,}",
        "Size": _size(found.get("TableSizeBytes", 0)),
        "Billing": "on demand" if billing == "PAY_PER_REQUEST" else "provisioned",
        "Stream": f"on, {stream}" if stream_is_on(found) else "off",
        "Deletion protection": "on" if found.get("DeletionProtectionEnabled") else "off",
    }
    if created := found.get("CreationDateTime"):
        facts["Created"] = f"{created:%Y-%m-%d %H:%M}"
    return facts


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 1e5 else f"{size_bytes / 1e3:,.1f} kB"


def _postgres() -> None:
    db = resources.database()
    connected = admin.sessions(db)
    layout.facts({"Database": resources.target().postgres.dbname, "Users": f"{users.count(db):,}"})
    st.dataframe(
        [asdict(session) for session in connected],
        hide_index=True,
        height=240 if len(connected) > 5 else "content",
        column_config={"client_address": "client"},
        placeholder="",
        alt="Who is connected",
    )
    layout.command("db.sessions")


def _health(table: Table) -> None:
    with st.container(horizontal=True):
        examine = st.button("Run the doctor", icon="🩺")
        verify = st.button("Verify the messages", icon="🔍", help=_cost())
    if examine:
        with st.spinner("The doctor looks at everything…"):
            st.session_state["doctor"] = list(doctor.examine(resources.target()))
    if found := st.session_state.get("doctor"):
        _diagnosis(found)
    if verify:
        st.session_state["verified"] = _verify(table)
    if (verified := st.session_state.get("verified")) is not None:
        _faults(table, *verified)
    layout.command("doctor")


def _cost() -> str:
    units = scan_cost(st.session_state.get("table size", 0))
    return f"Reads the whole table: about {units:,.0f} RCU. Any other click stops it."


def _diagnosis(found: list[doctor.Finding]) -> None:
    for finding in sorted(found, key=lambda finding: finding.state is State.OK):
        line = f"{ICONS[finding.state]} **{finding.check}** {layout.escaped(finding.finding)}"
        st.markdown(f"{line} → {layout.escaped(finding.mend)}" if finding.mend else line)


def _verify(table: Table) -> tuple[Summary, str, datetime]:
    """Every fault there is, and what was looked at. Shows how far it is."""
    summary = Summary()
    verification = messaging.verification(resources.database(), table)
    progress = st.empty()
    # Streamlit can stop a run, for another click, wherever it is called.
    verification.on_progress = lambda: _show(progress, _looked_at(verification.counts))
    for finding in verification.findings():
        summary.add(finding)
    progress.empty()
    return summary, _looked_at(verification.counts), now()


def _show(progress: DeltaGenerator, text: str) -> None:
    progress.caption(text)


def _looked_at(counts: dict[str, int]) -> str:
    return "looked at " + (", ".join(f"{n:,} {kind}" for kind, n in counts.items()) or "nothing")


def _faults(table: Table, summary: Summary, looked_at: str, at: datetime) -> None:
    st.caption(f"{layout.exact(at)}: {looked_at}")
    if not summary.total:
        st.success("All well: no guarantee is broken.", icon="✅")
        return
    st.dataframe(
        [
            {
                "count": count,
                "fault": str(fault),
                "what it is": EXPLAINED[fault],
                "mend": "repair" if fault in MENDABLE else "by hand",
                "for example": f"{summary.samples[fault][0].pk} {summary.samples[fault][0].sk}",
            }
            for fault, count in summary.counts.items()
        ],
        hide_index=True,
        alt="Faults",
    )
    if summary.mendable:
        _repair(table)
    layout.command("ddb.verify", "--repair")


def _repair(table: Table) -> None:
    if not access.may_write():
        st.info("Read-only. To repair, start the admin UI with --write.")
        return
    box = once("repair")
    with st.form(box.key):
        st.write(
            f"To mend what can be mended in {layout.escaped(table.name)}, type its name. Each is"
            " mended only if nobody has changed it since, and no message is lost."
        )
        st.text_input("Name of the table", key=f"{box.key} name")
        st.form_submit_button("Repair", type="primary", on_click=_submit, args=(box.key,))
        if box.problem is not None:
            layout.show_problem(box.problem)


def _submit(key: str) -> None:
    typed = str(st.session_state.get(f"{key} name") or "")
    box = once("repair")
    box.run(key, functools.partial(_mend_all, access.desk(), typed))
    if box.problem is None:
        st.session_state.pop("verified", None)
        st.toast("Repaired. Verify again to see what is left.", icon="✅")


def _mend_all(desk: access.Desk, typed: str) -> None:
    """Mend what can be mended. Calls nothing of Streamlit's: see ``Once``."""
    desk.require_write()
    if typed.strip() != desk.table.name:
        raise InputError(f"{typed!r} is not the table’s name", f"Type {desk.table.name}")
    desk.record("repair begun")
    mended = 0
    for finding in messaging.verification(desk.db, desk.table).findings():
        mended += messaging.mend(desk.db, desk.table, finding)
    desk.record("repair ended", mended=str(mended))


def _over_time(table: Table) -> None:
    if st.button("Count the messages", icon="📈", help=_cost()):
        st.session_state["counted"] = _count(table), now()
    if "counted" not in st.session_state:
        st.caption(f"By the hour for {HOURS} hours, by the day for {DAYS} days. {_cost()}")
        return
    counts, at = st.session_state["counted"]
    st.caption(f"{layout.exact(at)}, in UTC: {sum(counts.by_hour.values()):,} messages.")
    hourly, daily = st.tabs([f"The last {HOURS} hours", f"The last {DAYS} days"])
    with hourly:
        _chart(counts.hours(at, HOURS), "Hour")
    with daily:
        _chart(counts.days(at, DAYS), "Day")


def _count(table: Table) -> MessageCounts:
    counts = MessageCounts(now() - timedelta(days=DAYS))
    progress = st.empty()
    for _ in count_by_hour(table, counts):
        progress.caption(f"looked at {counts.looked_at:,} items")
    progress.empty()
    return counts


def _chart(counts: dict[datetime, int], unit: str) -> None:
    rows = [{unit: at, "Messages": count} for at, count in counts.items()]
    st.bar_chart(rows, x=unit, y="Messages", height=260)
    with st.expander("The same as a table"):
        st.dataframe(rows, hide_index=True, alt=f"Messages by {unit.lower()}")


page()
