"""The health of a target: the doctor, the verification and the repair."""

from __future__ import annotations

import math

import streamlit as st

from admin_app import access, actions, layout, login, resources, tables
from admin_app.store import background_work, progress
from admin_app.store.background_work import Checkup
from admin_app.store.jobs import Job
from core.doctor import Finding, State
from core.dynamodb import EXPLANATIONS, REPAIRABLE, SAMPLES, FaultKind, TableDescription
from core.errors import CoreError, TargetRefusedError
from core.wording import agreeing

DOCTOR = "doctor"
CHECKUP = "checkup"


_OUTDATED = "This is older than what is broken now. Run it again."


def show_doctor(*, is_outdated: bool) -> None:
    """Show a button and the latest result; ``is_outdated``: a store has failed since."""
    st.write("Checks this installation and its target, and says how to fix each problem.")
    progress.button(
        "Run the doctor",
        DOCTOR,
        background_work.examine(resources.target()),
        icon=":material/stethoscope:",
        can_stop=False,
    )
    findings = progress.outcome(DOCTOR)
    if isinstance(findings, tuple):
        if is_outdated and not any(finding.state is State.BAD for finding in findings):
            st.warning(_OUTDATED, icon=":material/history:")
        _findings(findings)


def _findings(findings: tuple[Finding, ...]) -> None:
    states = [finding.state for finding in findings]
    st.write(f"{states.count(State.BAD)} bad, {states.count(State.NOTE)} to note")
    for finding in findings:
        if finding.state is State.BAD:
            layout.show_problem(
                CoreError(f"{finding.check}: {finding.finding}", finding.hint, finding.command)
            )
    tables.table(
        ("State", "Check", "Result"),
        [
            (str(finding.state), finding.check, _told(finding))
            for finding in sorted(findings, key=lambda finding: -list(State).index(finding.state))
        ],
    )


def _told(finding: Finding) -> str:
    took = "" if finding.ms is None else f" ({finding.ms:g} ms)"
    step = finding.next_step(resources.target().options)
    hint = f" → {step}" if step else ""
    return f"{finding.finding}{took}{hint}"


def show_verification(table: TableDescription, *, is_outdated: bool) -> None:
    """Show the cost of the verification, its latest result, and the repair."""
    st.write("Checks every guarantee for all stored items.")
    estimate = cost(table.verification_read_units, extent="the whole table and its index")
    if table.size_bytes and not all(index.size_bytes for index in table.indexes):
        estimate = f"{estimate.removesuffix('.')} for the table; the index’s size is not known."
    st.caption(estimate)
    items, work = table.items, background_work.verify(access.desk())
    progress.button(
        "Verify the messages", CHECKUP, work, expected=items, icon=":material/fact_check:"
    )
    checkup = progress.outcome(CHECKUP)
    if isinstance(checkup, Checkup):
        _checkup(checkup, is_outdated=is_outdated)
        if checkup.summary.repairable:
            _repair(checkup, items)


def cost(read_units: float | None, extent: str = "the whole table") -> str:
    """The cost of reading all of something."""
    if not read_units:
        return f"Reads {extent}: 0.5 RCU for every 4 KB; the size is not known."
    halves = math.ceil(read_units * 2) / 2
    return f"Reads {extent}: about {halves:,g} RCU."


def _checkup(checkup: Checkup, *, is_outdated: bool) -> None:
    summary = checkup.summary
    if checkup.repaired is not None:
        st.success(f"Repaired {checkup.repaired:,}. Remaining problems:", icon=":material/build:")
    looked = ", ".join(agreeing(count, kind) for kind, count in checkup.looked_at.items())
    extent = "Looked at" if checkup.is_complete else "Stopped after looking at"
    st.write(f"{extent} {looked or 'nothing'}.")
    if is_outdated:
        st.warning(_OUTDATED, icon=":material/history:")
    elif checkup.is_complete and not summary.total:
        st.success("No problems.", icon=":material/check_circle:")
    for fault, count in summary.counts.items():
        _fault(fault, count, checkup)


def _fault(fault: FaultKind, count: int, checkup: Checkup) -> None:
    repaired_by = "a repair fixes it" if fault in REPAIRABLE else "fix it by hand"
    with st.expander(f"**{count:,} × {layout.escaped(fault)}** · {EXPLANATIONS[fault]}"):
        st.caption(f"{repaired_by.capitalize()}. {'All' if count <= SAMPLES else 'Some'} of them:")
        for sample in checkup.summary.samples[fault]:
            st.text(f"{sample.pk}  {sample.sk}".rstrip())
            if handle := checkup.handles.get(sample.message_group_uuid):
                st.page_link(
                    "views/conversations.py",
                    label=f"Open as @{layout.escaped(handle)}",
                    icon=":material/forum:",
                    query_params={"user": handle, "conversation": sample.message_group_uuid},
                )


def _repair(checkup: Checkup, items: int) -> None:
    """Show the plan, ask for the table's name, then repair once."""
    st.subheader("Repair", anchor=False)
    if not checkup.is_complete:
        st.info("Verify the whole table before you repair it.")
        return
    plan = ", ".join(
        f"{count:,} × {layout.escaped(fault)}"
        for fault, count in checkup.summary.counts.items()
        if fault in REPAIRABLE
    )
    st.write(f"A repair would fix: {plan}. It checks each problem again first.")
    if not access.may_write():
        st.info("Read-only. To repair here, start the admin UI with --write.")
        return
    serial = resources.jobs().serial(CHECKUP)
    key = f"repair name {serial}"
    with st.form(f"repair {serial}", enter_to_submit=False):
        layout.table_name_box(key)
        st.form_submit_button(
            "Repair", type="primary", on_click=_begin_repair, args=(key, serial, items)
        )
        if (problem := st.session_state.get(f"refused {key}")) is not None:
            layout.show_problem(problem)


@login.action
def _begin_repair(key: str, serial: int, items: int) -> None:
    """Start the repair; if the typed name is wrong, say so beside the box."""
    desk = access.desk(typed_name=str(st.session_state.get(key, "")).strip())
    try:
        desk.door.refuse_another_name(actions.REPAIR, desk.visitor.typed_name or "")
    except TargetRefusedError as error:
        st.session_state[f"refused {key}"] = error
        return
    st.session_state.pop(f"refused {key}", None)
    # If another job has begun meanwhile, the page shows that one, and then this form again.
    job = Job(CHECKUP, "Repair", login.person(), items)
    progress.start(job, serial, background_work.repair_faults(desk))
