"""The health of a target: what the doctor says, what a verification finds, and the repair."""

from __future__ import annotations

import streamlit as st

from admin_app import access, actions, layout, login, resources, tables
from admin_app.store import background_work, progress
from admin_app.store.background_work import Checkup
from core.commands import Command
from core.doctor import Finding, State
from core.dynamodb import EXPLANATIONS, REPAIRABLE, SAMPLES, FaultKind
from core.errors import CoreError, TargetRefusedError

DOCTOR = "doctor"
CHECKUP = "checkup"
_ICONS = {State.OK: "✅", State.NOTE: "ℹ️", State.BAD: "⛔"}
_MOST_OF_A_NAME = 255
"""Characters; DynamoDB's own limit."""


def show_doctor() -> None:
    """A button, and what was found the last time."""
    st.write("What is wrong with this installation and its target, and what mends it.")
    progress.button(
        "Run the doctor", DOCTOR, background_work.examine(resources.target()), icon="🩺"
    )
    found = progress.outcome(DOCTOR)
    if isinstance(found, tuple):
        _findings(found)
    layout.command("doctor")


def _findings(found: tuple[Finding, ...]) -> None:
    states = [finding.state for finding in found]
    st.write(f"{states.count(State.BAD)} bad, {states.count(State.NOTE)} to note")
    for finding in found:
        if finding.state is State.BAD:
            layout.show_problem(
                CoreError(f"{finding.check}: {finding.finding}", finding.mend, finding.command)
            )
    tables.table(
        ("State", "Check", "What was found"),
        [
            (f"{_ICONS[each.state]} {each.state}", each.check, _told(each))
            for each in sorted(found, key=lambda finding: -list(State).index(finding.state))
        ],
    )


def _told(finding: Finding) -> str:
    took = "" if finding.ms is None else f" ({finding.ms:g} ms)"
    step = finding.next_step(prod=resources.target().is_production)
    mend = f" → {step}" if step else ""
    return f"{finding.finding}{took}{mend}"


def show_verification(items: int, read_units: float | None) -> None:
    """The verification of a table of so many ``items``, and its repair.

    Reading it whole costs ``read_units``, as far as that is known.
    """
    st.write("Every guarantee, checked over all stored items.")
    st.caption(cost(read_units) + " Verifying looks into each conversation besides: about 1 RCU.")
    work = background_work.verify(access.desk())
    progress.button("Verify the messages", CHECKUP, work, expected=items, icon="🔍")
    found = progress.outcome(CHECKUP)
    if isinstance(found, Checkup):
        _checkup(found)
        if found.summary.repairable:
            _repair(found, items)
    layout.commands(Command("ddb.verify"), Command("ddb.verify", ("--repair",)))


def cost(read_units: float | None) -> str:
    """What reading the whole table costs."""
    if not read_units:
        return "Reads the whole table: 0.5 RCU for every 4 KB; its size is not known yet."
    return f"Reads the whole table: about {max(read_units, 0.5):,.0f} RCU."


def _checkup(found: Checkup) -> None:
    summary = found.summary
    if found.repaired is not None:
        st.success(f"Repaired {found.repaired:,}. What is left:", icon="🔧")
    looked = ", ".join(f"{count:,} {kind}" for kind, count in found.looked_at.items())
    extent = "Looked at" if found.is_complete else "Stopped, after a look at"
    st.write(f"{extent} {looked or 'nothing'}.")
    if found.is_complete and not summary.total:
        st.success("All well.", icon="✅")
    for fault, count in summary.counts.items():
        _fault(fault, count, found)


def _fault(fault: FaultKind, count: int, found: Checkup) -> None:
    repaired_by = "a repair fixes it" if fault in REPAIRABLE else "to be fixed by hand"
    with st.expander(f"**{count:,} × {layout.escaped(fault)}** · {EXPLANATIONS[fault]}"):
        st.caption(f"{repaired_by.capitalize()}. {'All' if count <= SAMPLES else 'Some'} of them:")
        for sample in found.summary.samples[fault]:
            st.text(f"{sample.pk}  {sample.sk}".rstrip())
            if handle := found.handles.get(sample.message_group_uuid):
                st.page_link(
                    "views/conversations.py",
                    label=f"Open the conversation as @{layout.escaped(handle)}",
                    icon="💬",
                    query_params={"user": handle, "conversation": sample.message_group_uuid},
                )


def _repair(found: Checkup, items: int) -> None:
    """The plan; then the table's name, typed; then the repair, once."""
    st.markdown("### Repair")
    if not found.is_complete:
        st.info("To repair, verify to the end: a plan needs the whole table.")
        return
    plan = ", ".join(
        f"{count:,} × {layout.escaped(fault)}"
        for fault, count in found.summary.counts.items()
        if fault in REPAIRABLE
    )
    st.write(f"Would repair what it can of: {plan}. Each is looked at again before.")
    if not access.may_write():
        st.info("Read-only. To repair here, start the admin UI with --write.")
        return
    serial = resources.jobs().serial(CHECKUP)
    key = f"repair name {serial}"
    with st.form(f"repair {serial}", enter_to_submit=False):
        st.text_input(
            f"Type the table’s name, {layout.escaped(resources.target().table_name)}",
            key=key,
            max_chars=_MOST_OF_A_NAME,
            autocomplete="off",
        )
        st.form_submit_button(
            "Repair", type="primary", on_click=_begin_repair, args=(key, serial, items)
        )
        if (problem := st.session_state.get(f"refused {key}")) is not None:
            layout.show_problem(problem)


@login.action
def _begin_repair(key: str, serial: int, items: int) -> None:
    """Begin the repair; a name that is not the table's is told beside the box."""
    desk = access.desk(typed_name=str(st.session_state.get(key, "")).strip())
    try:
        desk.door.refuse_another_name(actions.REPAIR, desk.visitor.typed_name or "")
    except TargetRefusedError as error:
        st.session_state[f"refused {key}"] = error
        return
    st.session_state.pop(f"refused {key}", None)
    progress.start("Repair", CHECKUP, serial, background_work.repair_faults(desk), items)
